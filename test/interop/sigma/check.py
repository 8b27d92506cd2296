"""Reads every Sigma rule of a folder with pySigma, validates it, and converts it for Splunk, Elasticsearch and Kusto."""
import pathlib
import sys

from sigma.backends.elasticsearch import ESQLBackend, LuceneBackend
from sigma.backends.kusto import KustoBackend
from sigma.backends.splunk import SplunkBackend
from sigma.collection import SigmaCollection
from sigma.validation import SigmaValidator
from sigma.validators.core import validators

# These fetch lists of ATT&CK and D3FEND from the network.
OFFLINE = [one for name, one in validators.items() if "attack" not in name and "d3_fend" not in name]

files = sorted(pathlib.Path(sys.argv[1]).glob("*.yml"))
rules = SigmaCollection.load_ruleset([str(file) for file in files])
failed = False
for rule in rules.rules:
    for error in rule.errors:
        print("error", rule.title, error)
        failed = True
for issue in SigmaValidator(OFFLINE).validate_rules(rules):
    print("issue", issue)
    failed = True
# A backend takes a collection to pieces: each has one of its own. Two of them know no correlations.
alone = [file for file in files if "\ncorrelation:\n" not in file.read_text()]
for backend, known in ((SplunkBackend(), files), (ESQLBackend(), files), (LuceneBackend(), alone), (KustoBackend(), alone)):
    for query in backend.convert(SigmaCollection.load_ruleset([str(file) for file in known])):
        print(type(backend).__name__, " ".join(str(query).split()))
print(len(files), "rules,", len(files) - len(alone), "correlations")
sys.exit(1 if failed else 0)
