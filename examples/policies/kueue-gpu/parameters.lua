-- The parameter `gpus`, which job.lua reads.

local defaults = require "default/parameters"

local function validate(parameters, run, config)
  local violations = defaults.validate(parameters, run, config)
  local gpus = (parameters or {}).gpus
  for _, one in ipairs(schema.check({ gpus = gpus }, { gpus = { type = "integer", min = 0, max = 8 } })) do
    violations[#violations + 1] = one
  end
  return violations
end

return { validate = validate }
