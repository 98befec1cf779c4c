# What the database handler puts in front of a notebook, with SQLite in the place of CrateDB: the
# notebooks of the chart use SQL that both understand. DATABASE is the file.
import os
import sqlite3
import sys


class Cursor:
    def __init__(self, real):
        self.real = real

    def __getattr__(self, name):
        return getattr(self.real, name)

    def execute(self, sql, *args):
        return None if sql.startswith("REFRESH TABLE ") else self.real.execute(sql, *args)


connection = sqlite3.connect(os.environ["DATABASE"], isolation_level=None)
connection.execute("PRAGMA synchronous = OFF")
connection.execute("PRAGMA journal_mode = MEMORY")
cursor = Cursor(connection.cursor())
