# Stores the predictions of a run, each row once: a store that is repeated, by the same pod or by
# the next try of the Job, overwrites what the one before has left.
#
#   output_table_name      the table; it is made if there is none
#   output_keep_history    true: each Job has rows of its own. For a run with a schedule, all of whose
#                          Jobs have the run's uid. Optional, false unless given
#   job_uid, pod_uid, predictions   from the runner
#   job_name               from the runner where the config says "upsert": what tells a Job from
#                          others of the run. Without it, with history each pod has rows of its own
#   offset, total          likewise, where the predictions come in pieces: how many came before, and
#                          how many there are in all
COLUMNS = (
    "jobuid TEXT, firing TEXT, counter INTEGER, prediction DOUBLE PRECISION, poduid TEXT, "
    "PRIMARY KEY (jobuid, firing, counter)"
)
BATCH = 1000
ROWS = 999999999


def prediction(value, counter):
    if value is not None and type(value) not in (int, float, bool):
        raise Refused(f"predictions[{counter}]: expected a number or null, found {value!r}"[:500])
    return None if value is None else float(value)


def parse(text):
    try:
        # What JSON has no number for is stored as NULL.
        values = json.loads(text, parse_constant=lambda _: None)
    except ValueError as why:
        raise Refused(f"predictions: expected JSON: {why}")
    if not isinstance(values, list):
        raise Refused(f"predictions: expected a list, found {text[:100]!r}")
    return [prediction(value, counter) for counter, value in enumerate(values)]


def store(table, rows):
    sql = (
        f"INSERT INTO {table} (jobuid, firing, counter, prediction, poduid) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (jobuid, firing, counter) "
        "DO UPDATE SET prediction = excluded.prediction, poduid = excluded.poduid"
    )
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        cursor.executemany(sql, batch)
        # The database reports a row that it refuses only by not counting it.
        if cursor.rowcount != len(batch):
            raise RuntimeError(f"{table}: stored {cursor.rowcount} rows of {len(batch)}")


def output(args):
    table = args.name("output_table_name", TABLE, "table")
    job, pod = args.text("job_uid"), args.text("pod_uid")
    firing = (args.optional_text("job_name") or pod) if args.flag("output_keep_history") else ""
    offset = args.optional_integer("offset", 0, ROWS) or 0
    values = parse(args.text("predictions"))
    total = args.optional_integer("total", 0, ROWS)
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} ({COLUMNS})")
    store(table, [(job, firing, offset + i, value, pod) for i, value in enumerate(values)])
    # A try before this one may have had more rows. A search sees only what is refreshed.
    cursor.execute(f"REFRESH TABLE {table}")
    cursor.execute(
        f"DELETE FROM {table} WHERE jobuid = ? AND firing = ? AND counter >= ?",
        (job, firing, len(values) if total is None else total),
    )


run(output)
