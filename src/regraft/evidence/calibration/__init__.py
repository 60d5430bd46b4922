"""Fit parameters of a population to published results by simulation."""
