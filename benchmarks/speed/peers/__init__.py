"""One module per tool: each gives ``prepare(problem, rtol, atol)``, which returns a function of the patient count."""
