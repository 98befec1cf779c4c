# The end of a time series without holes, as one row.
#
#   input_table_name          the table; its column "timestamp" orders the series
#   input_table_column_name   the column with the values; nothing there counts as 0
#   key_name, key_value       the column and value that select the series
#   input_data_length         how many values, at most
#
# The step is the least distance of two points. Where no point is, the value is 0; of two points on
# one step, the later one counts.
def select(args):
    table = args.name("input_table_name", TABLE, "table")
    column = args.name("input_table_column_name", COLUMN, "column")
    key = args.name("key_name", COLUMN, "column")
    cursor.execute(
        f"SELECT timestamp, {column} FROM {table} WHERE {key} = ? ORDER BY timestamp",
        (args.text("key_value"),),
    )
    return {
        time: 0.0 if value is None else float(number(value, f"{column} at {time}"))
        for time, value in cursor.fetchall()
        if time is not None
    }


def fill(points, length):
    times = list(points)
    step = min((b - a for a, b in zip(times, times[1:])), default=1)
    last = times[-1]
    values = {}  # by the number of steps before the last one
    for time in times:
        values[round((last - time) / step)] = points[time]
    span = round((last - times[0]) / step) + 1
    return [values.get(back, 0.0) for back in reversed(range(min(length, span)))]


def triton_input(args):
    length = args.integer("input_data_length", 1, 1000000)
    points = select(args)
    print(json.dumps({"result": [fill(points, length)] if points else []}))


run(triton_input)
