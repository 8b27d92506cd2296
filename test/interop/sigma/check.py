"""Reads every Sigma rule of a folder with pySigma, validates it, and converts it for Splunk and for Elasticsearch."""
import pathlib
import sys

from sigma.backends.elasticsearch import LuceneBackend
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
for backend in (SplunkBackend(), LuceneBackend()):
    for query in backend.convert(rules):
        print(type(backend).__name__, query)
print(len(files), "rules")
sys.exit(1 if failed else 0)
