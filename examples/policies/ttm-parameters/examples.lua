-- Run by the controller before it takes these policies.
local CONFIG = { spec = { modelName = "granite-timeseries-ttm-r2" } }

return {
  {
    hook = "validate",
    input = {
      config = CONFIG,
      parameters = { input_table_name = "a", output_table_name = "b", input_data_length = "512" },
    },
    output = {},
  },
  {
    hook = "validate",
    input = {
      config = CONFIG,
      parameters = { input_table_name = "a", output_table_name = "b", prediction_length = "721" },
    },
    output = {
      { field = "spec.parameters.prediction_length", message = 'expected at most 720, found "721"' },
    },
  },
}
