"""Slow checks that are run by hand or on a schedule, not with the tests."""
