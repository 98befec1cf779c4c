local policy = require "kserve.policy"
local bundle = policy.load "."

local TTM = { spec = { kserve = { modelName = "granite-timeseries-ttm-r2" } } }
local IRIS = { spec = { modelName = "sklearn-iris" } }

-- Two tables, with the changes.
local function parameters(changes)
  local all = { input_table_name = "input", output_table_name = "output" }
  for name, value in pairs(changes or {}) do
    all[name] = value
  end
  return all
end

-- "field message" of the only violation, or nil.
local function violation(given, config)
  local found = bundle:validate(given, { spec = {} }, config or TTM)
  assert.is_true(#found <= 1)
  return found[1] and found[1].field:match "[^.]+$" .. " " .. found[1].message
end

describe("parameters of TTM", function()
  it("may be those of the example", function()
    assert.is_nil(violation(parameters {
      input_data_length = "512", input_table_column_name = "average",
      key_name = "resourceid", key_value = "sample_vm", prediction_length = "96",
    }))
  end)

  it("have limits", function()
    local cases = {
      { "input_data_length", "1536" },
      { "input_data_length", "1537", 'expected one of 512, 1024, 1536, found "1537"' },
      { "prediction_length", "1" },
      { "prediction_length", "0", 'expected at least 1, found "0"' },
      { "prediction_length", "720" },
      { "prediction_length", "721", 'expected at most 720, found "721"' },
      { "prediction_length", "9.5", 'expected a whole number, found "9.5"' },
      { "input_table_name", "x; drop", 'expected the form ^[a-z_][a-z0-9_]*$, found "x; drop"' },
      { "key_name", ("k"):rep(63) },
      { "key_name", ("k"):rep(64), "expected at most 63 bytes, found 64" },
      { "colour", "red", "no such parameter" },
    }
    for _, case in ipairs(cases) do
      local name, value, message = table.unpack(case)
      assert.equal(message and name .. " " .. message, violation(parameters { [name] = value }))
    end
  end)

  it("must name two tables, and different ones", function()
    assert.equal("output_table_name is required", violation { input_table_name = "input" })
    assert.equal("output_table_name expected another table than the input, which would be overwritten",
      violation(parameters { output_table_name = "input" }))
    assert.equal(2, #bundle:validate(nil, { spec = {} }, TTM))
  end)
end)

describe("parameters of other models", function()
  it("are judged by the built-in policy", function()
    assert.is_nil(violation({ colour = "red" }, IRIS))
    assert.is_nil(violation({ colour = "red" }, { spec = {} }))
    assert.equal("pod_uid is reserved: the runner sets it", violation({ pod_uid = "x" }, IRIS))
  end)
end)
