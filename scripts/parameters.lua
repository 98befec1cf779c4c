-- Which parameters a run may have.
--
-- The engine calls validate(parameters, run, config) before it creates a Job. Return nothing, or a
-- list of { field = ..., message = ... }: the run is then rejected, and its status shows the list.
-- parameters is spec.parameters of the run, a map of strings, or nil.
--
-- A policy for one model often wants more; schema.check does the usual things:
--
--   return schema.check(parameters, {
--     input_table_name = { required = true, pattern = "^[%w_]+$" },
--     input_data_length = { type = "integer", min = 1, max = 4096 },
--     ["*"] = {},
--   })

-- The runner sends these itself, beside the parameters: a parameter of that name would be lost.
local RESERVED = { job_uid = true, pod_uid = true, predictions = true }

-- The database handler passes each parameter to its notebook as an argument "name=value", and Linux
-- takes no argument of 128 KiB or more (MAX_ARG_STRLEN, with the NUL at its end).
local ARGUMENT_MAX = 128 * 1024 - 1

local function problem(name, value)
  if RESERVED[name] then
    return "is reserved: the runner sets it"
  end
  if type(value) ~= "string" then
    return "must be a string"
  end
  local length = #name + 1 + #value
  if length > ARGUMENT_MAX then
    return "is too long: name=value has " .. length .. " bytes, at most " .. ARGUMENT_MAX
      .. " are possible"
  end
end

local function validate(parameters, _run, _config)
  local violations = json.array {}
  for name, value in pairs(parameters or {}) do
    local message = problem(name, value)
    if message then
      violations[#violations + 1] = { field = "spec.parameters." .. name, message = message }
    end
  end
  return violations
end

return { validate = validate }
