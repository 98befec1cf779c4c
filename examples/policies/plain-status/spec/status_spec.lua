local policy = require "kserve.policy"
local bundle = policy.load "."

local RUN = { spec = {} }
local NOW = "2026-11-24T10:00:00Z"

local function pod(phase, state, conditions)
  return {
    metadata = { creationTimestamp = NOW },
    status = {
      phase = phase,
      conditions = conditions,
      containerStatuses = { { name = "inference", state = state } },
    },
  }
end

local function status(pods, failure, run)
  local conditions = failure and { { type = "Failed", status = "True", reason = failure } }
  local job = { kind = "Job", spec = {}, status = { conditions = conditions } }
  return bundle:status(run or RUN, job, pods, NOW)
end

local function ended(code, reason, message)
  local state = { terminated = { exitCode = code, reason = reason or "Error", message = message } }
  return status({ pod("Failed", state) }, "BackoffLimitExceeded")
end

local function waiting(reason, message, run)
  return status({ pod("Pending", { waiting = { reason = reason, message = message } }) }, nil, run)
end

describe("status", function()
  it("tells what to do about a lack of memory", function()
    local found = ended(137, "OOMKilled")
    assert.equal("Failed", found.phase)
    assert.equal("OOMKilled", found.reason)
    assert.equal("The runner needed more memory than its limit allows and was ended. "
      .. "Raise resources.limits.memory of the container inference in the config's podTemplate, "
      .. "or read fewer rows, and create the run again.", found.message)
  end)

  it("tells what to do about an image that cannot be pulled", function()
    local found = waiting("ImagePullBackOff", 'Back-off pulling image "x"')
    assert.equal("Pending", found.phase)
    assert.matches('cannot be pulled: Back%-off pulling image "x"%. Compare spec.image', found.message)
  end)

  it("tells it once, however often it is asked", function()
    local first = waiting("ErrImagePull", "no such image")
    local again = waiting("ImagePullBackOff", "back-off", { spec = {}, status = first })
    assert.equal(first.message, again.message)
  end)

  it("tells what to do where no node takes the pod", function()
    local unscheduled = { { type = "PodScheduled", status = "False", reason = "Unschedulable",
      message = "0/3 nodes are available: 3 Insufficient memory." } }
    local found = status { pod("Pending", {}, unscheduled) }
    assert.equal("Unschedulable", found.reason)
    assert.matches("3 Insufficient memory%. Ask for less in", found.message)
  end)

  it("tells what to do about each exit code of the runner", function()
    local cases = {
      [2] = "Correct what is named", [3] = "Look at the database handler",
      [4] = "InferenceService is ready", [5] = "Look at the database handler",
      [8] = "Create the Secret",
    }
    for code, advice in pairs(cases) do
      local found = ended(code, nil, "last words")
      assert.matches("last words. ", found.message, 1, true)
      assert.matches(advice, found.message, 1, true)
    end
  end)

  it("adds nothing where there is nothing to do", function()
    assert.equal("The runner is at work.", status({ pod("Running", {}) }).message)
    assert.equal("The runner ended with exit code 1.", ended(1).message)
  end)
end)
