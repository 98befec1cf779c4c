-- Refuses a run whose tables are not this team's: their names must start with PREFIX.
--
-- Try it, then put it in the place of the default parameters.lua; the other hooks stay:
--
--   kserve-controller policy check examples/policies/require-table-prefix
--   kubectl -n kserve-controller-system patch configmap kserve-controller-policies \
--     --patch-file <(kubectl create configmap x --dry-run=client -o json \
--       --from-file examples/policies/require-table-prefix | jq '{data}')

local PREFIX <const> = "kserve_controller_"

local function validate(parameters, _run, _config)
  local violations = {}
  for _, field in ipairs { "input_table_name", "output_table_name" } do
    local name = parameters[field]
    if name ~= nil and name:sub(1, #PREFIX) ~= PREFIX then
      violations[#violations + 1] = {
        field = field,
        message = ("expected a table whose name starts with %s, found %s"):format(PREFIX, name),
      }
    end
  end
  return violations
end

return { validate = validate }
