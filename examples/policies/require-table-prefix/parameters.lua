-- Refuses a run whose tables are not this team's: their names must start with PREFIX.
--
-- Put it in the place of the default parameters.lua (the other hooks keep their defaults):
--
--   kubectl create configmap kserve-controller-policies -n kserve-controller-system \
--     --from-file=examples/policies/require-table-prefix --dry-run=client -o yaml | kubectl apply -f -

local PREFIX <const> = "kserve_controller_"

local function validate(parameters, _run, _config)
  local violations = {}
  parameters = parameters or {}
  for _, field in ipairs { "input_table_name", "output_table_name" } do
    local name = parameters[field]
    if name ~= nil and name:sub(1, #PREFIX) ~= PREFIX then
      violations[#violations + 1] = {
        field = "spec.parameters." .. field,
        message = ("expected a table whose name starts with %s, found %s"):format(PREFIX, name),
      }
    end
  end
  return violations
end

return { validate = validate }
