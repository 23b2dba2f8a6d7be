"""All tasks by name.

To add one: write a class in a module here and put it into `TASKS`.
"""

from core.tasks.base import Task
from core.tasks.binary import Binary
from core.tasks.custom import Custom
from core.tasks.multiclass import Multiclass
from core.tasks.multilabel import Multilabel
from core.tasks.regression import Regression
from core.tasks.segmentation import Segmentation

__all__ = ["CUSTOM", "MASKS", "TASKS", "find_task", "task_for", "task_of"]

TASKS: dict[str, Task] = {
    task.name: task for task in (Binary(), Multiclass(), Multilabel(), Regression(), Segmentation(), Custom())
}

CUSTOM, MASKS = Custom.name, Segmentation.name


def task_of(name: str) -> Task:
    """Return the task of a name.

    Raises:
        KeyError: there is none; names that come from outside go through `find_task`.
    """
    return TASKS[name]


def find_task(name: str) -> Task | None:
    """Return the task of a name that a log, a script or a file gave; None where it is not known."""
    return TASKS.get(name)


def task_for(classes: int) -> str:
    """Return the name of the task with one of so many classes a sample; with none of them, that with a number."""
    if not classes:
        return Regression.name
    return Binary.name if classes == 2 else Multiclass.name
