"""Numbers and thresholds in, verdicts out: one function a rule, called by the section that measured the numbers.

To add a verdict: its function here, its line in `config.verdicts.EVIDENCE`, its thresholds there, its sentence in
`templates/verdicts/<id>.html` and its meaning, remedy and source in `templates/verdicts.yaml`.
"""
