-- The built-in contract, and what the run's labels say: as parameters, and as headers of each
-- request to the database handler. A label weighs more than a parameter of that name.

local defaults = require "default/contract"
local labels = require "labels"

local function add_headers(storage, headers)
  local api = storage and storage.krateo and storage.krateo.api
  if api then
    local all = api.headers or json.array {}
    api.headers = table.move(headers, 1, #headers, #all + 1, all)
  end
end

local function contract(run, config, job)
  local result = defaults.contract(run, config, job)
  local given, parameters, headers = run.metadata.labels, {}, {}
  for _, rule in ipairs(labels) do
    parameters[rule.parameter] = given[rule.label]
    headers[#headers + 1] = rule.header .. ": " .. given[rule.label]
  end
  result.parameters = merge(result.parameters or {}, parameters)
  add_headers(result.input, headers)
  add_headers(result.output, headers)
  return result
end

return { contract = contract }
