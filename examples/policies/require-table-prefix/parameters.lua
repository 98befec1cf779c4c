-- Refuses a run whose tables are not this installation's: their names must start with PREFIX. What
-- the built-in policy refuses is refused as well.

local defaults = require "default/parameters"

local PREFIX <const> = "kserve_controller_"

local function validate(parameters, run, config)
  local violations = defaults.validate(parameters, run, config)
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
