"""Virtual trials as the forward model of a fit: which rows each trial answers, and under which parameters."""
