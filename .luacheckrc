std = "lua54"
max_line_length = 100
-- What a policy has besides Lua's own (docs/policies.md).
files["scripts"] = { globals = {}, read_globals = { "json", "reject", "log", "schema", "time", "quantity", "dns", "merge" } }
files["spec/lua"] = { std = "+busted" }
