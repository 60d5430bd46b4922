"""Virtual patients: correlated covariates and parameters, keyed by seed, patient and name."""

from regraft.patients.population import Population as Population
from regraft.patients.population import PopulationSpec as PopulationSpec
from regraft.patients.population import load_population as load_population
from regraft.patients.population import sample_population as sample_population
