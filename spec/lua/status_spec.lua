local policy = require "kserve.policy"
local bundle = policy.load "."

local RUN = { spec = { timeoutSeconds = 3600 } }
local NOW = "2026-11-24T10:00:00Z"

local function job(changes)
  local made = { kind = "Job", spec = { backoffLimit = 3 }, status = {} }
  for name, value in pairs(changes or {}) do
    made[name] = value
  end
  return made
end

local function with_condition(kind, reason, counters)
  local state = { conditions = { { type = kind, status = "True", reason = reason } } }
  for name, value in pairs(counters or {}) do
    state[name] = value
  end
  return job { status = state }
end

local serial = 0

-- A pod of the runner in that phase; later ones are newer.
local function pod(phase, state, more)
  serial = serial + 1
  local made = {
    metadata = { creationTimestamp = ("2026-11-24T10:00:%02dZ"):format(serial % 60) },
    status = {
      phase = phase,
      containerStatuses = {
        { name = "sidecar", state = {} },
        { name = "inference", state = state },
      },
    },
  }
  for name, value in pairs(more or {}) do
    made.status[name] = value
  end
  return made
end

local function ended(code, message, reason)
  local made = pod("Failed", { terminated = {
    exitCode = code, message = message, reason = reason or "Error",
  } })
  local state = made.status.containerStatuses[2].state
  state.terminated.finishedAt = made.metadata.creationTimestamp
  return made
end

local function waiting(reason, message)
  return pod("Pending", { waiting = { reason = reason, message = message } })
end

local function status(...)
  return bundle:status(...)
end

local function expect(phase, reason, message, found)
  assert.equal(phase, found.phase)
  assert.equal(reason, found.reason)
  assert.equal(message, found.message)
end

before_each(function()
  serial = 0
end)

describe("status before the end", function()
  it("is Pending without a Job", function()
    expect("Pending", "JobNotCreated", "The Job has not been created yet.",
      status(RUN, nil, {}, NOW))
  end)

  it("is Pending without a pod", function()
    expect("Pending", "PodNotCreated", "The Job has been created and has no pod yet.",
      status(RUN, job(), {}, NOW))
    expect("Pending", "PodNotCreated", "The Job has been created and has no pod yet.",
      status(RUN, { kind = "Job" }, nil, NOW))
  end)

  it("tells in plain words why the pod does not run", function()
    local cases = {
      { "ImagePullBackOff", "Back-off pulling image",
        "The runner image cannot be pulled: Back-off pulling image" },
      { "ErrImagePull", nil, "The runner image cannot be pulled." },
      { "CreateContainerConfigError", "configmap \"a\" not found",
        "Something that the pod refers to is missing: configmap \"a\" not found" },
      { "Curious", "", "The pod waits (Curious)." },
    }
    for _, case in ipairs(cases) do
      expect("Pending", case[1], case[3], status(RUN, job(), { waiting(case[1], case[2]) }, NOW))
    end
  end)

  it("tells why no node takes the pod", function()
    local unschedulable = pod("Pending", {}, { conditions = { { type = "PodScheduled",
      status = "False", reason = "Unschedulable", message = "0/3 nodes are available" } } })
    expect("Pending", "Unschedulable", "No node can take the pod: 0/3 nodes are available",
      status(RUN, job(), { unschedulable }, NOW))
  end)

  it("looks at init containers first", function()
    local one = waiting("PodInitializing")
    one.status.initContainerStatuses = {
      { name = "i", state = { waiting = { reason = "ErrImagePull" } } },
    }
    expect("Pending", "ErrImagePull", "The runner image cannot be pulled.",
      status(RUN, job(), { one }, NOW))
  end)

  it("is Pending for a pod that tells nothing", function()
    for _, silent in ipairs { { status = { phase = "Pending" } }, waiting("ContainerCreating"),
      waiting("PodInitializing") } do
      expect("Pending", "PodPending", "The pod is being set up.", status(RUN, job(), { silent }, NOW))
    end
  end)

  it("tells what only an Event warns of", function()
    local made = job()
    made.warning = { reason = "FailedCreate", message = "exceeded quota: q" }
    expect("Pending", "FailedCreate", "The Job cannot create its pod: exceeded quota: q",
      status(RUN, made, {}, NOW))
    local silent = waiting("ContainerCreating")
    silent.warning = { reason = "FailedMount", message = "no such volume" }
    expect("Pending", "FailedMount", "The pod cannot be set up: no such volume",
      status(RUN, job(), { silent }, NOW))
    expect("Running", "WaitingToRetry",
      "Waiting to try again (attempt 2 of 4). The Job cannot create its pod: exceeded quota: q",
      status(RUN, { kind = "Job", spec = { backoffLimit = 3 }, status = { failed = 1 },
        warning = made.warning }, {}, NOW))
  end)

  it("keeps such a warning until the engine has asked again", function()
    local run = { spec = {}, status = { reason = "FailedMount", message = "no volume" } }
    local silent = waiting("ContainerCreating")
    expect("Pending", "FailedMount", "no volume", status(run, job(), { silent }, NOW))
    silent.warning = {}
    expect("Pending", "PodPending", "The pod is being set up.", status(run, job(), { silent }, NOW))
    run.status.reason = "FailedCreate"
    expect("Pending", "FailedCreate", "no volume", status(run, job(), {}, NOW))
    silent.warning = nil
    expect("Pending", "PodPending", "The pod is being set up.", status(run, job(), { silent }, NOW))
  end)

  it("is Running when a pod runs", function()
    expect("Running", "Running", "The runner is at work.",
      status(RUN, job(), { pod("Running", { running = {} }) }, NOW))
    expect("Running", "Running", "The runner is at work.",
      status(RUN, job { status = { ready = 1 } }, {}, NOW))
  end)

  it("counts the attempts", function()
    local tried = job { status = { failed = 1 } }
    expect("Running", "Running", "The runner is at work, attempt 2 of 4.",
      status(RUN, tried, { ended(4), pod("Running", { running = {} }) }, NOW))
  end)

  it("stays Running between two attempts", function()
    local tried = job { status = { failed = 1 } }
    expect("Running", "WaitingToRetry",
      "Waiting to try again (attempt 2 of 4). "
        .. "The model did not answer as it should (exit code 4): refused",
      status(RUN, tried, { ended(4, "refused") }, NOW))
    expect("Running", "WaitingToRetry", "Waiting to try again (attempt 2 of 4).",
      status(RUN, tried, {}, NOW))
    expect("Running", "ErrImagePull",
      "Starting attempt 2 of 4. The runner image cannot be pulled.",
      status(RUN, tried, { ended(4), waiting("ErrImagePull") }, NOW))
  end)

  it("does not trust counters, nor conditions that only announce the end", function()
    for _, succeeded in ipairs { job { status = { succeeded = 1 } },
      with_condition("SuccessCriteriaMet") } do
      expect("Running", "Running", "The runner is at work.",
        status(RUN, succeeded, { pod("Succeeded", {}) }, NOW))
    end
    expect("Running", "Running", "The runner is at work, attempt 2 of 4.",
      status(RUN, with_condition("SuccessCriteriaMet", nil, { failed = 1 }), {}, NOW))
    assert.equal("Running", status(RUN, job { status = { failed = 9 } }, {}, NOW).phase)
  end)

  it("stays Running when a pod is lost that does not count", function()
    expect("Running", "WaitingToRetry", "Waiting to try again (attempt 1 of 4).",
      status({ spec = {}, status = { phase = "Running" } }, job(), {}, NOW))
    local run = { spec = {}, status = { phase = "Pending", result = { lastAttempts = {
      { pod = "a", reason = "DeletionByPodGC" } } } } }
    expect("Running", "WaitingToRetry",
      "Waiting to try again (attempt 1 of 4). The node of the pod was lost.",
      status(run, job(), {}, NOW))
  end)

  it("does not change the phase for a Job that is about to fail", function()
    local ending = with_condition("FailureTarget", "DeadlineExceeded")
    local words = "The Job has failed; its pods are being ended."
    expect("Running", "Finishing", words, status({ status = { phase = "Running" } }, ending, {}, NOW))
    expect("Pending", "Finishing", words, status({ status = { phase = "Pending" } }, ending, {}, NOW))
  end)

  it("keeps the cause while the kubelet waits to pull again", function()
    local run = { spec = {}, status = { reason = "ErrImagePull", message = "no such image" } }
    expect("Pending", "ErrImagePull", "no such image",
      status(run, job(), { waiting("ImagePullBackOff", "Back-off pulling image") }, NOW))
    expect("Pending", "ErrImagePull", "The runner image cannot be pulled: denied",
      status(run, job(), { waiting("ErrImagePull", "denied") }, NOW))
  end)

  it("does not trust a condition that does not hold", function()
    local unsure = job { status = { conditions = { { type = "Failed", status = "False" } } } }
    assert.equal("Pending", status(RUN, unsure, {}, NOW).phase)
  end)

  it("is Suspended when the Job is", function()
    expect("Suspended", "Suspended", "The Job is suspended.",
      status(RUN, job { spec = { suspend = true } }, {}, NOW))
    expect("Suspended", "Suspended", "The Job is suspended.",
      status(RUN, with_condition("Suspended"), {}, NOW))
  end)
end)

describe("status of a Job in a queue", function()
  local labels = { ["kueue.x-k8s.io/queue-name"] = "gpus" }

  it("is Queued until Kueue admits it", function()
    expect("Pending", "Queued", "The Job waits in the queue gpus for Kueue to admit it.",
      status(RUN, job { metadata = { labels = labels }, spec = { suspend = true } }, {}, NOW))
    expect("Pending", "PodNotCreated", "The Job has been created and has no pod yet.",
      status(RUN, job { metadata = { labels = labels }, spec = { suspend = false } }, {}, NOW))
  end)
end)

describe("status of a schedule", function()
  local function cron(spec, state)
    return { kind = "CronJob", spec = spec, status = state }
  end

  it("is Scheduled", function()
    expect("Scheduled", "Scheduled", "The run starts by its schedule, 0 * * * *.",
      status(RUN, cron({ schedule = "0 * * * *", suspend = false }), {}, NOW))
    expect("Scheduled", "Scheduled",
      "The run starts by its schedule, @daily; it started last at 2026-11-24T00:00:00Z.",
      status(RUN, cron({ schedule = "@daily" }, { lastScheduleTime = "2026-11-24T00:00:00Z" }), {},
        NOW))
  end)

  it("tells of the firing that failed last, until one succeeds", function()
    local run = { status = { failures = {
      { job = "a", reason = "Error", finishedAt = "2026-11-24T01:00:00Z" },
      { job = "b", reason = "OOMKilled", finishedAt = "2026-11-24T02:00:00Z" },
    } } }
    local text = "The run starts by its schedule, @daily"
    expect("Scheduled", "Scheduled",
      text .. "; it failed last at 2026-11-24T02:00:00Z, OOMKilled.",
      status(run, cron({ schedule = "@daily" }, {}), {}, NOW))
    expect("Scheduled", "Scheduled", text .. ".",
      status(run, cron({ schedule = "@daily" }, { lastSuccessfulTime = "2026-11-24T02:00:00Z" }), {},
        NOW))
  end)

  it("is Suspended", function()
    expect("Suspended", "Suspended", "The schedule is suspended.",
      status(RUN, cron { schedule = "@daily", suspend = true }, {}, NOW))
  end)
end)

describe("status at the end", function()
  it("is Succeeded when the Job is Complete", function()
    expect("Succeeded", "Completed", "The run has succeeded.",
      status(RUN, with_condition("Complete", nil, { failed = 2 }), { ended(4) }, NOW))
  end)

  it("tells how many rows were stored", function()
    local done = pod("Succeeded", { terminated = { exitCode = 0,
      message = '{"v":1,"result":"ok","rows":{"in":10,"stored":9}}' } })
    expect("Succeeded", "Completed", "The run has succeeded; rows stored: 9.",
      status(RUN, with_condition("Complete"), { done }, NOW))
  end)

  it("tells what the exit codes of the runner mean", function()
    local cases = {
      { 2, "ContractInvalid", "The runner could not use its contract (exit code 2)." },
      { 3, "InputFailed", "The input could not be read (exit code 3)." },
      { 4, "InferenceFailed", "The model did not answer as it should (exit code 4)." },
      { 5, "OutputFailed", "The result could not be stored (exit code 5)." },
      { 6, "RowsFailed",
        "More rows failed than the contract allows; the others are stored (exit code 6)." },
      { 7, "Interrupted", "The runner was interrupted (exit code 7)." },
      { 8, "SecretUnreadable", "The Secret of an endpoint cannot be used (exit code 8)." },
      { 13, "InputFailed", "The input cannot be read (exit code 13)." },
      { 14, "InferenceFailed", "The model refused (exit code 14)." },
      { 15, "OutputFailed", "The result cannot be stored (exit code 15)." },
      { 70, "RunnerError", "The runner had an internal error or no memory left (exit code 70)." },
      { 1, "RunnerFailed", "The runner ended with exit code 1." },
      { 128, "RunnerFailed", "The runner ended with exit code 128." },
      { 137, "RunnerKilled", "The runner was ended by signal 9 (exit code 137)." },
      { 193, "RunnerFailed", "The runner ended with exit code 193." },
    }
    for _, case in ipairs(cases) do
      expect("Failed", case[2], case[3], status(RUN,
        with_condition("Failed", "BackoffLimitExceeded", { failed = 1 }), { ended(case[1]) }, NOW))
    end
  end)

  it("quotes the last words of the runner, JSON or text", function()
    local failure = with_condition("Failed", "BackoffLimitExceeded", { failed = 1 })
    local cases = {
      ['{"exit":4,"reason":"ModelUnavailable","message":"503 from it"}'] = "503 from it",
      ['{"exit":4,"reason":"ModelUnavailable"}'] = "ModelUnavailable",
      ['{"exit":4'] = '{"exit":4',
      ["panic: no route"] = "panic: no route",
      ["12"] = "12",
    }
    for words, quoted in pairs(cases) do
      expect("Failed", "InferenceFailed",
        "The model did not answer as it should (exit code 4): " .. quoted,
        status(RUN, failure, { ended(4, words) }, NOW))
    end
  end)

  it("tells how often it was tried", function()
    expect("Failed", "InputFailed",
      "Given up after 4 attempts. The input could not be read (exit code 3): gone",
      status(RUN, with_condition("Failed", "BackoffLimitExceeded", { failed = 4 }),
        { ended(4, "first"), ended(3, "gone") }, NOW))
  end)

  it("tells that trying again would not help", function()
    expect("Failed", "ContractInvalid",
      "The runner could not use its contract (exit code 2): no modelUrl. "
        .. "Trying again would not help.",
      status(RUN, with_condition("Failed", "PodFailurePolicy", { failed = 1 }),
        { ended(2, "no modelUrl") }, NOW))
    expect("Failed", "InputFailed",
      "The input cannot be read (exit code 13): is it there? Trying again would not help.",
      status(RUN, with_condition("Failed", "PodFailurePolicy", { failed = 1 }),
        { ended(13, "is it there?") }, NOW))
  end)

  it("names a lack of memory, an eviction and a lost pod", function()
    local failure = with_condition("Failed", "BackoffLimitExceeded", { failed = 1 })
    expect("Failed", "OOMKilled",
      "The runner needed more memory than its limit allows and was ended.",
      status(RUN, failure, { ended(137, nil, "OOMKilled") }, NOW))
    expect("Failed", "Evicted", "The node evicted the pod: low on disk",
      status(RUN, failure,
        { pod("Failed", {}, { reason = "Evicted", message = "low on disk" }) }, NOW))
    expect("Failed", "PodFailed", "The pod failed.",
      status(RUN, failure, { pod("Failed", {}) }, NOW))
    expect("Failed", "PodFailed", "The pod failed.",
      status(RUN, failure,
        { { status = { phase = "Failed", containerStatuses = policy.null } } }, NOW))
  end)

  it("tells what ended a pod from outside", function()
    local failure = with_condition("Failed", "BackoffLimitExceeded", { failed = 1 })
    local cases = {
      PreemptionByScheduler = { "Preempted", "The pod had to make room for one of higher priority: m" },
      EvictionByEvictionAPI = { "Evicted", "The pod was evicted, as when a node is drained: m" },
      TerminationByKubelet = { "Evicted", "The node ended the pod: m" },
      DeletionByTaintManager = { "NodeLost",
        "The node of the pod was lost, or no longer tolerated it: m" },
      DeletionByPodGC = { "NodeLost", "The node of the pod was lost: m" },
      Unheard = { "PodFailed", "The pod failed: m" },
    }
    for reason, words in pairs(cases) do
      local lost = pod("Failed", {}, { conditions = {
        { type = "DisruptionTarget", status = "True", reason = reason, message = "m" } } })
      expect("Failed", words[1], words[2], status(RUN, failure, { lost }, NOW))
    end
    local node = pod("Failed", {}, { reason = "Terminated", message = "imminent node shutdown" })
    expect("Failed", "NodeShutdown", "The node of the pod was shut down: imminent node shutdown",
      status(RUN, failure, { node }, NOW))
    local both = ended(137, nil, "OOMKilled")
    both.status.reason = "Evicted"
    assert.equal("OOMKilled", status(RUN, failure, { both }, NOW).reason)
  end)

  it("remembers the last attempt when the pods are gone", function()
    local run = { spec = {}, status = { result = { lastAttempts = {
      { pod = "a", reason = "OOMKilled", exitCode = 137 },
      { pod = "b", reason = "Error", exitCode = 4, message = '{"message":"no route"}' },
    } } } }
    expect("Failed", "InferenceFailed",
      "Given up after 2 attempts. The model did not answer as it should (exit code 4): no route",
      status(run, with_condition("Failed", "BackoffLimitExceeded", { failed = 2 }), {}, NOW))
    expect("Running", "WaitingToRetry", "Waiting to try again (attempt 3 of 4). "
      .. "The model did not answer as it should (exit code 4): no route",
      status(run, job { status = { failed = 2 } }, {}, NOW))
  end)

  it("tells why a run that ran out of time never started", function()
    local run = { spec = { timeoutSeconds = 5 },
      status = { phase = "Pending", message = "No node can take the pod: 0/3" } }
    expect("Failed", "DeadlineExceeded", "The run did not finish within its time limit of 5 "
      .. "seconds. It never started. No node can take the pod: 0/3",
      status(run, with_condition("Failed", "DeadlineExceeded"), {}, NOW))
  end)

  it("names the time limit, of the run or of the Job", function()
    local failure = with_condition("Failed", "DeadlineExceeded")
    expect("Failed", "DeadlineExceeded",
      "The run did not finish within its time limit of 3600 seconds.",
      status(RUN, failure, { ended(4) }, NOW))
    failure.spec.activeDeadlineSeconds = 60
    expect("Failed", "DeadlineExceeded",
      "The run did not finish within its time limit of 60 seconds.",
      status({ spec = {} }, failure, {}, NOW))
    failure.spec.activeDeadlineSeconds = nil
    expect("Failed", "DeadlineExceeded",
      "The run did not finish within its time limit.",
      status({ spec = {} }, failure, {}, NOW))
  end)

  it("says what the Job says when the pods are gone", function()
    local failure = with_condition("Failed", "BackoffLimitExceeded")
    failure.status.conditions[1].message = "Job has reached the specified backoff limit"
    expect("Failed", "BackoffLimitExceeded",
      "The Job failed: Job has reached the specified backoff limit", status(RUN, failure, {}, NOW))
    expect("Failed", "JobFailed", "The Job failed.",
      status(RUN, with_condition("Failed"), {}, NOW))
  end)
end)
