# Every row of a table, as the features of a model.
#
#   input_table_name   the table, all of whose columns are numbers
#   input_order_by     a column to sort by, so that a prediction's counter tells its row; optional:
#                      without it rows come as the database returns them
def sklearn_input(args):
    table = args.name("input_table_name", TABLE, "table")
    order = args.optional_name("input_order_by", COLUMN, "column")
    cursor.execute(f"SELECT * FROM {table}" + (f" ORDER BY {order}" if order else ""))
    columns = [column[0] for column in cursor.description]
    rows = [
        [number(cell, f"row {i}, column {column}") for cell, column in zip(row, columns)]
        for i, row in enumerate(cursor.fetchall())
    ]
    print(json.dumps({"result": rows}))


run(sklearn_input)
