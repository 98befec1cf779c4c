-- What the state of a Job means to the person who started the run.
--
-- The engine calls status(run, job, pods, now) whenever something has changed. job is the Job, or
-- the CronJob of a run with a schedule, or nil while there is none; pods are the Job's pods; now is
-- the time as text (RFC 3339). Return { phase = ..., reason = ..., message = ... }:
--   phase    Pending, Scheduled, Suspended or Running until the Job has finished, then Succeeded or
--            Failed; the engine refuses anything else
--   reason   one CamelCase word, for programs
--   message  a sentence, for people
--
-- The Job's conditions decide whether it has finished, never its counters: those move before the
-- Job controller has made up its mind.

local CONTAINER = "inference"

-- ---- reading objects ----

local function is_set(value)
  return value ~= nil and value ~= json.null
end

-- field(pod, "status", "reason"): nil where any part of the way is missing.
local function field(object, ...)
  for _, name in ipairs({ ... }) do
    if type(object) ~= "table" then
      return nil
    end
    object = object[name]
  end
  return is_set(object) and object or nil
end

-- The condition of that type, if it holds.
local function condition(object, kind)
  for _, one in ipairs(field(object, "status", "conditions") or {}) do
    if one.type == kind and one.status == "True" then
      return one
    end
  end
end

-- The state of the runner's container: { waiting = ... }, { running = ... } or
-- { terminated = ... }.
local function container_state(pod)
  for _, one in ipairs(field(pod, "status", "containerStatuses") or {}) do
    if one.name == CONTAINER then
      return one.state or {}
    end
  end
  return {}
end

-- The pod for which rank(pod) is greatest, among those with a rank.
local function best(pods, rank)
  local found, highest
  for _, pod in ipairs(pods or {}) do
    local value = rank(pod)
    if value and (not highest or value > highest) then
      found, highest = pod, value
    end
  end
  return found
end

-- RFC 3339 times of one form compare as text.
local function created(pod)
  return field(pod, "metadata", "creationTimestamp") or ""
end

local function newest_in_phase(pods, phase)
  return best(pods, function(pod)
    return field(pod, "status", "phase") == phase and created(pod)
  end)
end

local function answer(phase, reason, message)
  return { phase = phase, reason = reason, message = message }
end

-- ---- attempts ----

local function count(object, ...)
  return field(object, ...) or 0
end

-- "attempt 2 of 4": a Job makes backoffLimit further attempts (6 where it does not say).
local function attempt(job)
  local limit = field(job, "spec", "backoffLimit") or 6
  return "attempt " .. count(job, "status", "failed") + 1 .. " of " .. limit + 1
end

local function attempts_made(job)
  local failed = count(job, "status", "failed")
  return failed == 1 and "1 attempt" or failed .. " attempts"
end

-- ---- why an attempt failed ----

-- The exit codes of the runner.
local EXIT_CODES = {
  [2] = { "ContractInvalid", "The runner could not use its contract" },
  [3] = { "InputFailed", "The input could not be read" },
  [4] = { "InferenceFailed", "The model did not answer as it should" },
  [5] = { "OutputFailed", "The result could not be stored" },
}

-- What the runner left behind as its last words: a line of JSON, or plain text.
local function last_words(terminated)
  local text = field(terminated, "message")
  local report = text and json.parse(text)
  if type(report) ~= "table" then
    return text
  end
  return field(report, "message") or field(report, "reason")
end

local function sentence(text, words)
  return words and words ~= "" and text .. ": " .. words or text .. "."
end

-- Returns a reason and a message for a pod that has failed.
local function pod_failure(pod)
  local terminated = container_state(pod).terminated
  if field(pod, "status", "reason") == "Evicted" then
    return "Evicted", sentence("The node evicted the pod", field(pod, "status", "message"))
  end
  if not is_set(terminated) then
    return "PodFailed", sentence("The pod failed", field(pod, "status", "message"))
  end
  if terminated.reason == "OOMKilled" then
    return "OOMKilled", "The runner needed more memory than its limit allows and was ended."
  end
  local known = EXIT_CODES[terminated.exitCode]
  local words = last_words(terminated)
  if known then
    return known[1], sentence(known[2] .. " (exit code " .. terminated.exitCode .. ")", words)
  end
  local code = terminated.exitCode or "unknown"
  return "RunnerFailed", sentence("The runner ended with exit code " .. code, words)
end

-- The pod that failed last.
local function failed_pod(pods)
  return best(pods, function(pod)
    local finished = field(container_state(pod).terminated, "finishedAt")
    return field(pod, "status", "phase") == "Failed" and (finished or created(pod))
  end)
end

-- ---- the end ----

local function failed(run, job, pods, cause)
  local pod = failed_pod(pods)
  if cause.reason == "DeadlineExceeded" then
    local limit = field(run, "spec", "timeoutSeconds")
      or field(job, "spec", "activeDeadlineSeconds")
    local allowed = limit and "its time limit of " .. limit .. " seconds" or "its time limit"
    return answer("Failed", "DeadlineExceeded", "The run did not finish within " .. allowed .. ".")
  end
  if not pod then
    return answer("Failed", cause.reason or "JobFailed",
      sentence("The Job failed", field(cause, "message")))
  end
  local reason, message = pod_failure(pod)
  if cause.reason == "BackoffLimitExceeded" and count(job, "status", "failed") > 1 then
    message = "Given up after " .. attempts_made(job) .. ". " .. message
  elseif cause.reason == "PodFailurePolicy" then
    message = message .. (message:sub(-1) == "." and "" or ".") .. " Trying again would not help."
  end
  return answer("Failed", reason, message)
end

local function succeeded(pods)
  local pod = newest_in_phase(pods, "Succeeded")
  local text = field(container_state(pod).terminated, "message")
  local report = text and json.parse(text)
  local stored = field(report, "rows", "stored")
  local message = "The run has succeeded"
  if stored then
    message = message .. "; rows stored: " .. tostring(stored)
  end
  return answer("Succeeded", "Completed", message .. ".")
end

-- ---- before the end ----

-- Why a container waits, in plain words. Other reasons are shown as they are.
local WAITING = {
  ContainerCreating = "The pod is being set up",
  PodInitializing = "The pod is being set up",
  ErrImagePull = "The runner image cannot be pulled",
  ImagePullBackOff = "The runner image cannot be pulled",
  InvalidImageName = "The name of the runner image is not valid",
  ErrImageNeverPull = "The runner image is not on the node, and may not be pulled",
  CreateContainerConfigError = "Something that the pod refers to is missing",
  CreateContainerError = "The container cannot be created",
  RunContainerError = "The container cannot be started",
}

-- Returns a reason and a message for a pod that does not run yet.
local function pod_waits(pod)
  for _, one in ipairs(field(pod, "status", "conditions") or {}) do
    if one.type == "PodScheduled" and one.status == "False" then
      return one.reason or "Unschedulable",
        sentence("No node can take the pod", field(one, "message"))
    end
  end
  for _, list in ipairs({ "initContainerStatuses", "containerStatuses" }) do
    for _, one in ipairs(field(pod, "status", list) or {}) do
      local reason = field(one, "state", "waiting", "reason")
      if reason then
        local text = WAITING[reason] or "The pod waits (" .. reason .. ")"
        return reason, sentence(text, field(one, "state", "waiting", "message"))
      end
    end
  end
  return "PodPending", "The pod waits to be started."
end

-- Once an attempt has failed the run stays Running: its phase does not go back.
local function trying_again(job, pods)
  local pending = newest_in_phase(pods, "Pending")
  if pending then
    local reason, message = pod_waits(pending)
    return answer("Running", reason, "Starting " .. attempt(job) .. ". " .. message)
  end
  local pod = failed_pod(pods)
  local message = "Waiting to try again (" .. attempt(job) .. ")"
  if pod then
    local _, why = pod_failure(pod)
    return answer("Running", "WaitingToRetry", message .. ". " .. why)
  end
  return answer("Running", "WaitingToRetry", message .. ".")
end

local function unfinished(job, pods)
  if condition(job, "FailureTarget") or condition(job, "SuccessCriteriaMet") then
    return answer("Running", "Finishing", "The Job is about to finish.")
  end
  local tried = count(job, "status", "failed") > 0
  if newest_in_phase(pods, "Running") or count(job, "status", "ready") > 0 then
    local message = tried and "The runner is at work, " .. attempt(job) .. "."
      or "The runner is at work."
    return answer("Running", "Running", message)
  end
  if newest_in_phase(pods, "Succeeded") then
    return answer("Running", "Finishing", "The runner has finished.")
  end
  if tried or newest_in_phase(pods, "Failed") then
    return trying_again(job, pods)
  end
  local pending = newest_in_phase(pods, "Pending")
  if pending then
    return answer("Pending", pod_waits(pending))
  end
  return answer("Pending", "PodNotCreated", "The Job has been created and has no pod yet.")
end

local function scheduled(cron_job)
  if field(cron_job, "spec", "suspend") == true then
    return answer("Suspended", "Suspended", "The schedule is suspended.")
  end
  local last = field(cron_job, "status", "lastScheduleTime")
  local message = "The run starts by its schedule, " .. (field(cron_job, "spec", "schedule") or "?")
  if last then
    message = message .. "; it started last at " .. last
  end
  return answer("Scheduled", "Scheduled", message .. ".")
end

local function status(run, job, pods, _now)
  if not job then
    return answer("Pending", "JobNotCreated", "The Job has not been created yet.")
  end
  if job.kind == "CronJob" then
    return scheduled(job)
  end
  local failure = condition(job, "Failed")
  if failure then
    return failed(run, job, pods, failure)
  end
  if condition(job, "Complete") then
    return succeeded(pods)
  end
  if field(job, "spec", "suspend") == true or condition(job, "Suspended") then
    return answer("Suspended", "Suspended", "The Job is suspended.")
  end
  return unfinished(job, pods)
end

return { status = status }
