"""Processes that find each other in a store in which earlier ones have left their traces."""

from concurrent.futures import ThreadPoolExecutor

from torch.distributed import HashStore  # type: ignore[attr-defined]  # no name of its list

from core.torchrun import met


def test_processes_of_an_attempt_share_a_name_that_those_before_did_not_have() -> None:
    store = HashStore()
    names = []
    with ThreadPoolExecutor(3) as pool:
        store.set("torchtui/here/2", "one that was killed before it was answered")
        for ranks in ((0, 1, 2), (2, 1, 0)):
            found = [pool.submit(met, store, rank, 3) for rank in ranks]
            names.append({each.result() for each in found})
    assert [len(name) for name in names] == [1, 1]
    assert names[0] != names[1]
