std = "lua54"
max_line_length = 120

-- What a policy has besides Lua's own (docs/policies.md).
local policy = {
  read_globals = {
    "dns", "duration", "json", "log", "merge", "quantity", "reject", "schema", "time",
  },
}
files["scripts"] = policy
files["examples/policies"] = policy
files["spec/lua"] = { std = "+busted" }
