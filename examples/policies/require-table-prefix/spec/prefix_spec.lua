local policy = require "kserve.policy"
local bundle = policy.load "."

local function validate(parameters)
  return bundle:validate(parameters, { spec = {} }, { spec = {} })
end

describe("tables", function()
  it("must start with the prefix", function()
    assert.same({
      {
        field = "spec.parameters.output_table_name",
        message = "expected a table whose name starts with kserve_controller_, found theirs",
      },
    }, validate { input_table_name = "kserve_controller_input", output_table_name = "theirs" })
  end)

  it("may be left out, and other parameters are free", function()
    assert.same({}, validate { key_name = "theirs" })
    assert.same({}, validate(nil))
  end)
end)
