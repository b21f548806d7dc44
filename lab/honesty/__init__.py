"""Whether a strategy is what it says: no look-ahead, nothing from outside, the same twice, and warm enough."""

from lab.honesty.examination import Examination, examine
from lab.honesty.playing import Stage, scenes
from lab.honesty.verdicts import Difference, Status, Verdict, WarmUpRow

__all__ = ["Difference", "Examination", "Stage", "Status", "Verdict", "WarmUpRow", "examine", "scenes"]
