local policy = require "kserve.policy"
local bundle = policy.load "."

local function validate(parameters)
  return bundle:validate(parameters, { spec = {} }, { spec = {} })
end

describe("validate", function()
  it("refuses what the runner sets itself", function()
    for _, name in ipairs { "job_uid", "pod_uid", "predictions" } do
      assert.same({
        { field = "spec.parameters." .. name, message = "is reserved: the runner sets it" },
      }, validate { [name] = "x" })
    end
  end)

  it("refuses a value that is no string", function()
    assert.same({ { field = "spec.parameters.n", message = "must be a string" } },
      validate { n = 1 })
  end)

  it("refuses name=value of 128 KiB, the longest argument of Linux is one less", function()
    local longest = ("x"):rep(128 * 1024 - 1 - #"n=")
    assert.same({}, validate { n = longest })
    local found = validate { n = longest .. "x" }
    assert.equal(1, #found)
    assert.equal("spec.parameters.n", found[1].field)
    assert.matches("has 131072 bytes, at most 131071 are possible", found[1].message, 1, true)
  end)

  it("lists every violation, in a fixed order", function()
    local found = validate { pod_uid = "x", ok = "x", job_uid = "x" }
    assert.equal(2, #found)
    assert.equal("spec.parameters.job_uid", found[1].field)
    assert.equal("spec.parameters.pod_uid", found[2].field)
  end)

  it("takes the parameters of the specification, none, and empty values", function()
    assert.same({}, validate { input_table_name = "t", output_table_name = "kserve_output" })
    assert.same({}, validate { empty = "" })
    assert.same({}, validate {})
    assert.same({}, validate(nil))
  end)
end)
