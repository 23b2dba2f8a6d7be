"""A real Ray cluster on this machine, begun when the first test wants one."""

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest

NODE = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
LOOKS = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 300}
"""A cluster looks for its nodes often: one that is gone is noticed in seconds, one that is slow is waited for."""


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Any]:
    """A cluster of one node with one processor, to which this process is connected."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "_system_config": LOOKS})
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    yield cluster
    ray.shutdown()
    cluster.shutdown()
