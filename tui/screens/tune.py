"""Tune: what to search, and how a study goes on."""

import subprocess
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from core.config import to_dict
from core.data.dataset import Progress
from core.errors import TorchtuiError
from core.runs.folder import Run
from core.tuning.folder import StudyFolder, all_studies
from core.tuning.plan import Plan
from core.tuning.records_text import x
