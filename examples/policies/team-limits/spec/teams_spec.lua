local policy = require "kserve.policy"
local bundle = policy.load "."

local function run(namespace, seconds)
  return { metadata = { namespace = namespace }, spec = { timeoutSeconds = seconds } }
end

local function config(memory)
  return { spec = { podTemplate = { spec = { containers = {
    { name = "sidecar" },
    { name = "inference", resources = { limits = { memory = memory } } },
  } } } } }
end

-- "field message" of the only violation, or nil.
local function violation(parameters, of_run, of_config)
  local found = bundle:validate(parameters, of_run, of_config or config())
  assert.is_true(#found <= 1)
  return found[1] and found[1].field .. " " .. found[1].message
end

describe("a team", function()
  it("has its own tables", function()
    assert.is_nil(violation({ input_table_name = "green_a", output_table_name = "green_b" },
      run("green", 3600)))
    assert.equal("spec.parameters.output_table_name expected a table of team green, green_..., found blue_b",
      violation({ output_table_name = "blue_b" }, run("green", 3600)))
  end)

  it("has so much time", function()
    assert.is_nil(violation(nil, run("blue", 900)))
    assert.equal("spec.timeoutSeconds expected at most 900 (15m), found 15m1s",
      violation(nil, run("blue", 901)))
    assert.equal("spec.timeoutSeconds expected at most 900 (15m), found no limit",
      violation(nil, run("blue")))
  end)

  it("has so much memory, however it is written", function()
    for _, memory in ipairs { "512Mi", "0.5Gi", "536870912", "500M" } do
      assert.is_nil(violation(nil, run("blue", 60), config(memory)))
    end
    assert.equal("spec.configRef expected a config with at most 512Mi of memory for team blue, found 1Gi",
      violation(nil, run("blue", 60), config "1Gi"))
    assert.is_nil(violation(nil, run("blue", 60), { spec = {} }))
    assert.is_nil(violation(nil, run("blue", 60),
      { spec = { podTemplate = { spec = { containers = { { name = "inference" } } } } } }))
  end)

  it("is needed", function()
    assert.error_matches(function()
      bundle:validate(nil, run("default", 60), config())
    end, "no team has the namespace default")
  end)
end)
