# The database handler starts a notebook as `python3 NOTEBOOK HOST PORT USER PASSWORD KEY=VALUE...`
# and puts lines in front that import sys and open `connection` and `cursor` (CrateDB). What goes to
# the standard output is the reply. A refusal is {"error": "..."}, which the runner shows in the
# run's status; an exception is shown as it is.
import json
import math
import re

NAME = r"[A-Za-z_][A-Za-z0-9_]{0,127}"
TABLE = rf"{NAME}(\.{NAME})?"
COLUMN = rf"{NAME}(\['[A-Za-z0-9_. -]{{1,128}}'\])*"  # labels['team'] too


class Refused(Exception):
    pass


class Arguments:
    def __init__(self, words):
        self.values = dict(word.partition("=")[::2] for word in words)

    def text(self, key):
        if not self.values.get(key):
            raise Refused(f"{key}: expected a value, found none: add it to the run's parameters")
        return self.values[key]

    def optional_text(self, key):
        return self.values.get(key) or ""

    def name(self, key, pattern, kind):
        """What goes into SQL as it stands: a name of the right form, and nothing else."""
        value = self.text(key)
        if not re.fullmatch(pattern, value, re.ASCII):
            raise Refused(f"{key}: expected the name of a {kind}, found {value[:100]!r}")
        return value

    def optional_name(self, key, pattern, kind):
        return self.name(key, pattern, kind) if self.values.get(key) else None

    def integer(self, key, low, high):
        value = self.text(key)
        if not re.fullmatch(r"[0-9]{1,9}", value, re.ASCII) or not low <= int(value) <= high:
            raise Refused(f"{key}: expected a whole number from {low} to {high}, found {value[:100]!r}")
        return int(value)

    def optional_integer(self, key, low, high):
        return self.integer(key, low, high) if self.values.get(key) else None

    def flag(self, key):
        value = self.values.get(key) or "false"
        if value not in ("true", "false"):
            raise Refused(f"{key}: expected true or false, found {value[:100]!r}")
        return value == "true"


def number(cell, where):
    """A cell as the number that it is, an integer with all its digits."""
    try:
        value = cell if type(cell) in (int, float) else float(cell)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):  # JSON has no number for these either
        raise Refused(f"{where}: expected a number, found {str(cell)[:100]!r}")
    return value


def run(notebook):
    try:
        notebook(Arguments(sys.argv[5:]))
    except Refused as why:
        print(json.dumps({"error": str(why)}))
    finally:
        cursor.close()
        connection.close()
