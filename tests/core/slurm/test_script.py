"""The script of a job: what it asks for, quoted so that nothing in it is taken for something else."""

import shlex
import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.events import CheckpointSaved, RunFinished, from_json, to_json
from core.slurm.script import NO_STEP, array_script, job_script, own_script
from core.slurm.settings import SlurmSettings, seconds_of
from core.status import Ending

COMMAND = ("tui", "train", "--no-ui", "--resume", "/shared/my runs/one")


def script(settings: SlurmSettings | None = None, folder: str = "/shared/my runs/one") -> str:
    return job_script(
        settings or SlurmSettings(),
        COMMAND,
        name="iris mlp; rm",
        folder=Path(folder),
        output=Path(folder) / "console.log",
    )


def test_one_process_starts_without_torchrun() -> None:
    text = script()
    assert "torchrun" not in text
    assert "srun" not in text
    assert "tui train --no-ui --resume '/shared/my runs/one' &" in text
    assert "--job-name=iris-mlp-rm --nodes=1" in text
    assert "--signal=B:USR1@120" in text


def test_asks_for_what_the_settings_say_in_their_order() -> None:
    settings = SlurmSettings(
        partition="gpu", nodes=2, gpus_per_node=4, cores=16, memory="64G", time="04:00:00", account="lab",
        sbatch=("#SBATCH --constraint=a100",), setup=("module load cuda", "source ~/env/bin/activate"),
    )  # fmt: skip
    text = script(settings)
    for option in (
        "--partition=gpu",
        "--gpus-per-node=4",
        "--cpus-per-task=16",
        "--mem=64G",
        "--account=lab",
    ):
        assert option in text
    assert "#SBATCH --constraint=a100\n" in text
    assert "srun --cpus-per-task=16 torchrun --nnodes 2 --nproc-per-node 4" in text
    assert text.index("module load cuda") < text.index("source ~/env") < text.index("srun")
    assert not subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode


def test_paths_are_text_to_the_shell_and_to_slurm() -> None:
    folder = "/shared/a 'b' \"c\" $(touch x) %j"
    text = script(folder=folder)
    assert f"run={shlex.quote(folder)}" in text
    assert r"""#SBATCH --output="/shared/a 'b' \"c\" $(touch x) %%j/console.log""" in text


@pytest.mark.parametrize("bad", ["two\nlines", "bell\x07"])
def test_control_characters_are_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        script(folder=f"/shared/{bad}")
    with pytest.raises(ValidationError):
        SlurmSettings(setup=(bad,))
    with pytest.raises(ValidationError):
        SlurmSettings(sbatch=(f"--comment={bad}",))


@pytest.mark.parametrize(
    "fields",
    [
        {"partition": "a b"},
        {"partition": "a\n#SBATCH --x"},
        {"account": "$(id)"},
        {"memory": "lots"},
        {"time": "soon"},
        {"time": "00:00:00"},
        {"sbatch": ("--signal=TERM@5",)},
        {"sbatch": ("-o x",)},
        {"sbatch": ("constraint=a100",)},
        {"nodes": 0},
    ],
)
def test_settings_that_do_not_fit_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SlurmSettings.model_validate(fields)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 5400),
        ("5:30", 330),
        ("04:00:00", 14400),
        ("2-12", 216000),
        ("1-00:30", 88200),
        ("1-0:0:1", 86401),
    ],
)
def test_reads_durations_as_slurm_writes_them(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


def test_a_script_of_ones_own_resumes_the_run_that_its_job_has_started(tmp_path: Path) -> None:
    """A run that an earlier job has started is left alone."""
    for name, job in (("first", "6"), ("mine mine", "7"), ("other", "77")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "job.json").write_text(f'{{"job":{{"id":"{job}","state":"RUNNING"}}}}')
    text = own_script(
        SlurmSettings(), ["echo", "new", "run"], ["echo", "resume"], name="tui", runs_dir=tmp_path
    )
    for restarts, printed in (("", "new run"), ("1", f"resume {tmp_path / 'mine mine'}")):
        done = subprocess.run(
            ["bash"],
            input=text,
            env={"PATH": "/usr/bin:/bin", "SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": restarts or "0"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        started, said = done.stdout.splitlines()
        assert (started.startswith("job 7 starts on "), said) == (True, printed)
        assert done.stderr == ""


@pytest.mark.parametrize(
    ("ended", "restarts", "step", "left"),
    [
        ("stopped", "0", 5, "stopped"),
        ("completed", "0", 9, "completed"),
        ("stopped", "1", 9, "stopped"),
        ("stopped", "1", 5, "failed"),
    ],
)
def test_only_a_run_that_was_stopped_is_requeued_and_only_while_it_gets_on(
    ended: Ending, restarts: str, step: int, left: str, tmp_path: Path
) -> None:
    """A job is warned while its run trains from step 5 on; another one completes at the same moment."""
    folder = tmp_path / "run"
    folder.mkdir()
    log = folder / "events.jsonl"
    log.write_text(f"{to_json(CheckpointSaved(kind='last', epoch=1, step=5), 'a')}\n")
    (tmp_path / "saved").write_text(
        f"{to_json(CheckpointSaved(kind='last', epoch=1, step=step), 'a')}\n"
        f"{to_json(RunFinished(status=ended), 'a')}\n"
    )
    (tmp_path / "scontrol").write_text(f'#!/bin/sh\necho "$@" >{tmp_path / "asked"}\n')
    (tmp_path / "sleep").write_text("#!/bin/sh\nexec /bin/sleep 0.01\n")
    for program in ("scontrol", "sleep"):
        (tmp_path / program).chmod(0o755)
    waits = (
        f"kill -USR1 $PPID; while [ ! -s {folder / 'requests.txt'} ]; do sleep 0.01; done; cat {tmp_path}/saved >>{log}"
        "; exit 3"
    )
    text = job_script(
        SlurmSettings(), ["sh", "-c", waits], name="tui", folder=folder, output=tmp_path / "log"
    )
    done = subprocess.run(
        ["bash"],
        input=text,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": restarts},
        text=True,
        timeout=60,
        check=False,
    )
    assert (folder / "requests.txt").read_text().startswith("stop\n")
    assert (tmp_path / "asked").exists() == (left == "stopped")
    assert done.returncode == {"stopped": 0, "completed": 3, "failed": 1}[left]
    last = from_json(log.read_text().splitlines()[-1])
    assert isinstance(last, RunFinished)
    assert (last.status, last.error) == (left, NO_STEP if left == "failed" else "")


def test_an_array_has_a_file_for_what_each_worker_prints() -> None:
    text = array_script(
        SlurmSettings(), ["tui", "tune"], name="study", jobs=8, folder=Path("/shared/100% it")
    )
    assert "#SBATCH --array=1-8\n" in text
    assert '#SBATCH --output="/shared/100%% it/worker-%A_%a.log"\n' in text
    assert not subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode


@pytest.mark.parametrize(("restarts", "saves"), [("0", False), ("1", True), ("1", False)])
def test_a_worker_is_requeued_only_while_something_is_saved(
    restarts: str, saves: bool, tmp_path: Path
) -> None:
    (tmp_path / "scontrol").write_text(f'#!/bin/sh\necho "$@" >{tmp_path / "asked"}\n')
    (tmp_path / "scontrol").chmod(0o755)
    saved = tmp_path / "trials" / "one" / "checkpoints"
    save = f"mkdir -p {saved}; echo >{saved}/last.pt; " if saves else ""
    work = f"trap 'exit 7' USR1; {save}kill -USR1 $PPID; while :; do sleep 0.01; done"
    done = subprocess.run(
        ["bash"],
        input=array_script(SlurmSettings(), ["sh", "-c", work], name="study", jobs=2, folder=tmp_path),
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": restarts},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    requeued = restarts == "0" or saves
    assert (tmp_path / "asked").exists() == requeued
    assert done.returncode == (0 if requeued else 7)
    assert ("nothing was saved before its time limit" in done.stdout) != requeued
