-- Refuses a run without the labels of labels.lua.

local defaults = require "default/parameters"
local labels = require "labels"

local function problem(rule, value)
  if value == nil or value == "" then
    return "is required"
  end
  if rule.values and not rule.values[value] then
    local known = {}
    for one in pairs(rule.values) do
      known[#known + 1] = one
    end
    return ("expected one of %s, found %s"):format(table.concat(known, ", "), value)
  end
end

local function validate(parameters, run, config)
  local violations = defaults.validate(parameters, run, config)
  local given = run.metadata.labels or {}
  for _, rule in ipairs(labels) do
    local message = problem(rule, given[rule.label])
    if message then
      violations[#violations + 1] = { field = "metadata.labels." .. rule.label, message = message }
    end
  end
  return violations
end

return { validate = validate }
