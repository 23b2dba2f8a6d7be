"""Answers of Slurm, given by stand-ins that print what the real commands print."""

from pathlib import Path

import pytest

from core.errors import RunError
from core.slurm import client, commands
from core.slurm.client import cancel, find_jobs, partitions, submit, unavailable
from core.slurm.commands import SlurmSilent, missing
from core.slurm.job import SlurmJob
from core.slurm.reasons import ending, waiting
from tests.support.slurm_answers import stand_in


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("Priority", "waits behind jobs of higher priority (Priority)"),
        ("Resources", "waits for nodes, cores, memory or GPUs to become free (Resources)"),
        ("JobHeldUser", "is held by its user; scontrol release lets it start (JobHeldUser)"),
        ("QOSMaxJobsPerUserLimit", "waits: a limit of its quality of service is reached (QOSMaxJobsPerUserLimit)"),
        ("AssocGrpGRES", "waits: a limit of its account is reached (AssocGrpGRES)"),
        ("PartitionTimeLimit", "never starts: its time limit is longer than the partition allows (PartitionTimeLimit)"),
        ("(ReqNodeNotAvail, Unavailable:n7)",
         "waits for nodes that are down, drained or reserved (ReqNodeNotAvail, Unavailable:n7)"),
        ("Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
         "waits for nodes that are down, drained or reserved (Nodes required for job are DOWN, DRAINED or reserved for "
         "jobs in higher priority partitions)"),
        ("Job's account not known, so it can't use this partition (high allows physics)",
         "never starts: its account may not use the partition (Job's account not known, so it can't use this partition "
         "(high allows physics))"),
        ("user_env_retrieval_failed_requeued_held",
         "is held, since the user's environment could not be read (user_env_retrieval_failed_requeued_held)"),
        ("SomethingNew", "waits (SomethingNew)"),
    ],
)  # fmt: skip
def test_a_pending_job_says_why(
    reason: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    answer("squeue", f"12|PENDING|{reason}|N/A||0:00|4:00:00|gpu\n")
    job = find_jobs(["12"])["12"]
    assert job.waits
    assert not job.start
    assert job.limit == 14400
    assert waiting(job) == sentence


def test_a_pending_job_has_its_place_and_its_expected_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path / "bin", monkeypatch)
    answers = {"--array": "12|PENDING|Priority|1796043377||0:00|1:00|gpu\n"}
    line = "9|9|50\n11|11_[3-7%2]|40\n12|12|40\n13|13|0\n"
    monkeypatch.setattr(client, "call", lambda program, *given, **more: answers.get(given[1], line))
    job = find_jobs(["12"])["12"]
    assert (job.start, job.ahead) == (1796043377, 2)
    answers["--array"] = answers["--array"].replace(
        "Priority", "PartitionTimeLimit"
    )  # which starts in no case
    job = find_jobs(["12"])["12"]
    assert (job.start, job.ahead) == (0, None)


def test_a_job_that_slurm_could_not_launch_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    answer("scontrol", "JobState=FAILED Reason=JobLaunchFailure NodeList=n1 ExitCode=0:53\n")
    assert ending(find_jobs(["12"])["12"]) == (
        "could not be launched: its node does not see, or may not write, the folder of the run "
        "(FAILED, JobLaunchFailure)"
    )


@pytest.mark.parametrize(
    ("state", "code", "sentence"),
    [
        ("NODE_FAIL", "0:0", "lost its node (NODE_FAIL)"),
        ("OUT_OF_MEMORY", "0:125", "needed more memory than it had asked for (OUT_OF_MEMORY)"),
        ("TIMEOUT", "0:0", "reached its time limit before it had saved and requeued itself (TIMEOUT)"),
        ("PREEMPTED", "0:15", "had to make room for a job of higher priority (PREEMPTED)"),
        ("CANCELLED by 4000000", "0:0", "was cancelled by user 4000000 (CANCELLED by 4000000)"),
        ("FAILED", "137:0", "was killed by SIGKILL (FAILED)"),
        ("FAILED", "2:0", "exited with code 2 (FAILED)"),
    ],
)
def test_a_job_that_only_the_accounting_remembers_says_how_it_ended(
    state: str, code: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    answer(
        "sacct", f"12|{state}|None|1796043377|n1|60|240|gpu|{code}\n12.batch|{state}|||n1|60||gpu|{code}\n"
    )
    job = find_jobs(["12"])["12"]
    assert job.has_ended
    assert (job.elapsed, job.limit, job.nodes) == (60, 14400, "n1")
    assert ending(job) == sentence


def test_a_job_that_nobody_remembers_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    answer("sacct", error="Slurm accounting storage is disabled\n", code=1)
    assert find_jobs(["12"]) == {}
    answer("squeue")  # as it answers when it remembers another one of those asked for
    assert find_jobs(["12"]) == {}


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        ("sbatch: error: invalid partition specified: nope\n"
         "sbatch: error: Batch job submission failed: Invalid partition name specified\n",
         "Slurm refuses the job: Invalid partition name specified (invalid partition specified: nope)"),
        ("sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified\n",
         "Slurm refuses the job: Invalid account or account/partition combination specified"),
        ("sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)",
         "Slurm refuses the job: Requested time limit is invalid (missing or exceeds some limit)"),
        ("", "Slurm refuses the job: it gave no reason"),
    ],
)  # fmt: skip
def test_a_refused_job_says_why(
    printed: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    answer("sbatch", error=printed, code=1)
    with pytest.raises(RunError) as caught:
        submit("#!/bin/bash\n")
    assert caught.value.message == sentence


def test_a_silent_controller_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    said = "slurm_load_jobs error: Socket timed out on send/recv operation"
    answer("squeue", error=f"{said}\n", code=1)
    with pytest.raises(SlurmSilent, match="Slurm does not answer: slurm_load_jobs error: Socket timed out"):
        find_jobs(["12"])
    answer(
        "sinfo", error="slurm_load_partitions: Unable to contact slurm controller (connect failure)\n", code=1
    )
    assert unavailable().startswith("Slurm does not answer: slurm_load_partitions: Unable to contact")


def test_a_command_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path / "bin", monkeypatch)
    monkeypatch.setattr(commands, "SECONDS", 0.05)
    (tmp_path / "bin" / "scancel").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    with pytest.raises(SlurmSilent, match="scancel has waited"):
        cancel("12")


def test_without_slurm_the_reason_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path / "bin", monkeypatch, absent=("sbatch",))
    assert missing() == unavailable() == "Slurm is not installed here: there is no sbatch"
    with pytest.raises(RunError, match="there is no sbatch"):
        submit("#!/bin/bash\n")


def test_submits_and_cancels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    answer("sbatch", "77;cluster\n")
    assert submit("#!/bin/bash\n") == "77"
    answer("sbatch", "who knows\n")
    with pytest.raises(RunError, match="did not name the job, but printed: who knows"):
        submit("#!/bin/bash\n")
    answer("scancel", error="scancel: error: Kill job error on job id 77: Invalid job id specified\n", code=1)
    cancel("77")
    answer("scancel", error="scancel: error: Kill job error on job id 77: Access/permission denied\n", code=1)
    with pytest.raises(RunError, match="Access/permission denied"):
        cancel("77")


def test_reads_the_limits_of_partitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    answer(
        "sinfo",
        "gpu|gpu|up|8:00:00|1/3|4|64|256000+|gpu:a100:4(S:0-1),gpu:a40:2\ngpu|gpu|up|8:00:00|2/0|2|128|512000|(null)\n"
        "cpu|cpu*|down|infinite|0/0|1|8|4096|(null)\n",
    )
    cpu, gpu = partitions()
    assert (cpu.is_default, cpu.is_up, cpu.limit) == (True, False, 0)
    assert (gpu.limit, gpu.nodes, gpu.free) == (28800, 6, 3)
    assert (gpu.cores, gpu.memory, gpu.gpus) == (128, 512000, 6)


@pytest.mark.parametrize("state", ["CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED"])
def test_a_job_with_nodes_has_not_ended(state: str) -> None:
    job = SlurmJob("1", state)
    assert job.runs
    assert not job.waits
    assert not job.has_ended


def test_an_array_stands_as_the_task_that_has_come_furthest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = stand_in(tmp_path / "bin", monkeypatch)
    tasks = {
        "31_1": "31_1|NODE_FAIL|None|1796043377|n1|1:00|1:00|gpu\n",
        "31_2": "31_2|PENDING|Priority|N/A||0:00|1:00|gpu\n",
        "31_3": "31_3|RUNNING|None|1796043377|n2|0:30|1:00|gpu\n",
    }
    answer("squeue", "".join(tasks.values()))
    assert (find_jobs(["31"])["31"].state, find_jobs(["31_2"])["31_2"].state) == ("RUNNING", "PENDING")
    answer("squeue", tasks["31_1"] + tasks["31_2"])
    assert find_jobs(["31"])["31"].waits
    answer("squeue", tasks["31_1"])
    assert find_jobs(["31"])["31"].has_ended
