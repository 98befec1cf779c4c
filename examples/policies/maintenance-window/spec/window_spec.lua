local policy = require "kserve.policy"
local bundle = policy.load "."

local function run(created, schedule)
  return { metadata = { creationTimestamp = created }, spec = { schedule = schedule } }
end

-- When the maintenance ends that refuses the run, or nil.
local function refused(created, schedule)
  local found = bundle:validate(nil, run(created, schedule), { spec = {} })
  return found[1] and found[1].message:match "until (%S+):"
end

describe("a maintenance window", function()
  it("refuses what is created in it", function()
    local cases = { -- 2026-11-24 is a Tuesday
      { "2026-11-24T12:00:00Z" },
      { "2026-11-25T05:29:59Z" },
      { "2026-11-25T05:30:00Z", "2026-11-25T07:00:00Z" },
      { "2026-11-25T06:59:59Z", "2026-11-25T07:00:00Z" },
      { "2026-11-25T07:00:00Z" },
      { "2026-11-28T21:59:59Z" },
      { "2026-11-28T22:00:00Z", "2026-11-29T04:00:00Z" },
      { "2026-11-29T03:59:59Z", "2026-11-29T04:00:00Z" },
      { "2026-11-29T04:00:00Z" },
      { "2026-11-28T23:00:00+01:00", "2026-11-29T04:00:00Z" },
    }
    for _, case in ipairs(cases) do
      assert.equal(case[2], refused(case[1]), case[1])
    end
  end)

  it("goes on over the end of a week", function()
    local bundle_of_sunday = policy.load {
      ["parameters.lua"] = policy.files "." ["parameters.lua"],
      ["windows.lua"] = 'return { { day = "Sun", from = "23:00", length = "2h" } }',
    }
    local found = bundle_of_sunday:validate(nil, run "2026-11-30T00:30:00Z", { spec = {} })
    assert.matches("until 2026-11-30T01:00:00Z", found[1].message, 1, true)
  end)

  it("lets schedules be made", function()
    assert.is_nil(refused("2026-11-25T06:00:00Z", "@daily"))
  end)

  it("does not take the place of the built-in rules", function()
    local found = bundle:validate({ pod_uid = "x" }, run "2026-11-24T12:00:00Z", { spec = {} })
    assert.equal("spec.parameters.pod_uid", found[1].field)
  end)
end)
