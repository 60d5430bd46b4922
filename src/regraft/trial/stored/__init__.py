"""Trials kept on disk: chunks of patients in files, from which a run goes on and a result is read."""
