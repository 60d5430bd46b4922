"""Virtual trials: design, eligibility, arms, visits, endpoints, statistics and tables."""

from regraft.trial.design import TrialDesign, load_design
from regraft.trial.result import TrialResult
from regraft.trial.run import run_trial

__all__ = ["TrialDesign", "TrialResult", "load_design", "run_trial"]
