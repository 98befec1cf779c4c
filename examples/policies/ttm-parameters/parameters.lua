-- Which parameters a run of a TTM model (granite time series) may have, and how large they may be.
-- Runs of other models are judged by the built-in policy alone.

local defaults = require "default/parameters"

local MODELS = "^granite%-timeseries%-ttm"

-- Names that a database takes without quotes.
local NAME = { pattern = "^[a-z_][a-z0-9_]*$", maxLength = 63 }
local TABLE = merge(NAME, { required = true })

local RULES = {
  input_table_name = TABLE,
  output_table_name = TABLE,
  input_table_column_name = NAME,
  key_name = NAME,
  key_value = { maxLength = 256 },
  input_data_length = { enum = { "512", "1024", "1536" } }, -- the contexts that TTM r2 is made for
  prediction_length = { type = "integer", min = 1, max = 720 },
}

local function is_ttm(config)
  local model = (config.spec.kserve or {}).modelName or config.spec.modelName
  return model ~= nil and model:find(MODELS) ~= nil
end

local function validate(parameters, run, config)
  if not is_ttm(config) then
    return defaults.validate(parameters, run, config)
  end
  local violations = schema.check(parameters, RULES)
  parameters = parameters or {}
  if parameters.input_table_name and parameters.input_table_name == parameters.output_table_name then
    violations[#violations + 1] = {
      field = "spec.parameters.output_table_name",
      message = "expected another table than the input, which would be overwritten",
    }
  end
  return violations
end

return { validate = validate }
