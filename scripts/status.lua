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

-- The exit codes of the runner; those from 10 on say that another try would not help.
local EXIT_CODES = {
  [2] = { "ContractInvalid", "The runner could not use its contract" },
  [3] = { "InputFailed", "The input could not be read" },
  [4] = { "InferenceFailed", "The model did not answer as it should" },
  [5] = { "OutputFailed", "The result could not be stored" },
  [6] = { "RowsFailed", "More rows failed than the contract allows; the others are stored" },
  [7] = { "Interrupted", "The runner was interrupted" },
  [8] = { "SecretUnreadable", "The Secret of an endpoint cannot be used" },
  [13] = { "InputFailed", "The input cannot be read" },
  [14] = { "InferenceFailed", "The model refused" },
  [15] = { "OutputFailed", "The result cannot be stored" },
  [70] = { "RunnerError", "The runner had an internal error or no memory left" },
}

-- Why a pod was ended that did not end by itself: the reason in its status, or that of its
-- condition DisruptionTarget.
local ENDED_FROM_OUTSIDE = {
  Evicted = { "Evicted", "The node evicted the pod" },
  EvictionByEvictionAPI = { "Evicted", "The pod was evicted, as when a node is drained" },
  TerminationByKubelet = { "Evicted", "The node ended the pod" },
  PreemptionByScheduler = { "Preempted", "The pod had to make room for one of higher priority" },
  NodeLost = { "NodeLost", "The node of the pod was lost" },
  DeletionByTaintManager = { "NodeLost", "The node of the pod was lost, or no longer tolerated it" },
  DeletionByPodGC = { "NodeLost", "The node of the pod was lost" },
  Terminated = { "NodeShutdown", "The node of the pod was shut down" },
}

-- What the runner left behind as its last words: a line of JSON, or plain text.
local function last_words(text)
  local report = text and json.parse(text)
  if type(report) ~= "table" then
    return text
  end
  return field(report, "message") or field(report, "reason")
end

local function sentence(text, words)
  return words and words ~= "" and text .. ": " .. words or text .. "."
end

-- What a failed pod tells, in the form of an entry of status.result.lastAttempts.
local function attempt_of(pod)
  local ended = container_state(pod).terminated
  ended = is_set(ended) and ended or {}
  local disruption = condition(pod, "DisruptionTarget") or {}
  local outside = field(pod, "status", "reason") or disruption.reason
  if outside and ended.reason ~= "OOMKilled" then
    local words = field(pod, "status", "message") or disruption.message
    return { reason = outside, exitCode = ended.exitCode, message = words }
  end
  return {
    reason = ended.reason or "PodFailed",
    exitCode = ended.exitCode,
    message = field(ended, "message") or field(pod, "status", "message"),
  }
end

-- Returns a reason and a message for an attempt that has failed.
local function explain(failure)
  if failure.reason == "OOMKilled" then
    return "OOMKilled", "The runner needed more memory than its limit allows and was ended."
  end
  local outside = ENDED_FROM_OUTSIDE[failure.reason]
  if outside then
    return outside[1], sentence(outside[2], failure.message)
  end
  local code = failure.exitCode
  if not is_set(code) then
    return "PodFailed", sentence("The pod failed", failure.message)
  end
  local known, words = EXIT_CODES[code], last_words(failure.message)
  if known then
    return known[1], sentence(known[2] .. " (exit code " .. code .. ")", words)
  end
  if code > 128 and code <= 192 then
    local text = "The runner was ended by signal " .. code - 128
    return "RunnerKilled", sentence(text .. " (exit code " .. code .. ")", words)
  end
  return "RunnerFailed", sentence("The runner ended with exit code " .. code, words)
end

-- The attempt that failed last, of the pods or, once they are gone, of the run's status.
local function last_failure(run, pods)
  local pod = best(pods, function(pod)
    local finished = field(container_state(pod).terminated, "finishedAt")
    return field(pod, "status", "phase") == "Failed" and (finished or created(pod))
  end)
  if pod then
    return attempt_of(pod)
  end
  local kept = field(run, "status", "result", "lastAttempts") or {}
  return kept[#kept]
end

-- ---- the end ----

local function out_of_time(run, job)
  local limit = field(run, "spec", "timeoutSeconds") or field(job, "spec", "activeDeadlineSeconds")
  local allowed = limit and "its time limit of " .. limit .. " seconds" or "its time limit"
  local message = "The run did not finish within " .. allowed .. "."
  if field(run, "status", "phase") == "Pending" and field(run, "status", "message") then
    message = message .. " It never started. " .. run.status.message
  end
  return answer("Failed", "DeadlineExceeded", message)
end

local function failed(run, job, pods, cause)
  if cause.reason == "DeadlineExceeded" then
    return out_of_time(run, job)
  end
  local failure = last_failure(run, pods)
  if not failure then
    return answer("Failed", cause.reason or "JobFailed",
      sentence("The Job failed", field(cause, "message")))
  end
  local reason, message = explain(failure)
  if cause.reason == "BackoffLimitExceeded" and count(job, "status", "failed") > 1 then
    message = "Given up after " .. attempts_made(job) .. ". " .. message
  elseif cause.reason == "PodFailurePolicy" then
    message = message .. (message:find("[.?!]$") and "" or ".") .. " Trying again would not help."
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

-- No reason to wait, but what every pod goes through.
local BEING_SET_UP = { ContainerCreating = true, PodInitializing = true }

-- Why a container waits, in plain words. Other reasons are shown as they are.
local WAITING = {
  ErrImagePull = "The runner image cannot be pulled",
  ImagePullBackOff = "The runner image cannot be pulled",
  InvalidImageName = "The name of the runner image is not valid",
  ErrImageNeverPull = "The runner image is not on the node, and may not be pulled",
  CreateContainerConfigError = "Something that the pod refers to is missing",
  CreateContainerError = "The container cannot be created",
  RunContainerError = "The container cannot be started",
}

-- What the newest Event about a Job or Pod warns of, where the engine has asked for it. Without an
-- answer (warning is nil) what the status says of it already is kept.
local function warned(run, object, text)
  local warning = field(object, "warning")
  local reason = field(warning or run.status, "reason")
  if warning then
    return reason, reason and sentence(text, field(warning, "message"))
  end
  if reason and reason:find("^Failed") then
    return reason, field(run, "status", "message")
  end
end

-- The kubelet tells by turns why an image cannot be pulled and that it waits to try again: the
-- first of the two is what a person needs.
local function keeps_cause(run, reason)
  return reason == "ImagePullBackOff" and field(run, "status", "reason") == "ErrImagePull"
end

-- The first container that waits for a reason of its own: nil where all is on its way.
local function container_waits(pod)
  for _, list in ipairs({ "initContainerStatuses", "containerStatuses" }) do
    for _, one in ipairs(field(pod, "status", list) or {}) do
      local waiting = field(one, "state", "waiting")
      local reason = field(waiting, "reason")
      if reason and not BEING_SET_UP[reason] then
        return reason, field(waiting, "message")
      end
    end
  end
end

-- Returns a reason and a message for a pod that does not run yet.
local function pod_waits(run, pod)
  for _, one in ipairs(field(pod, "status", "conditions") or {}) do
    if one.type == "PodScheduled" and one.status == "False" then
      return one.reason or "Unschedulable",
        sentence("No node can take the pod", field(one, "message"))
    end
  end
  local reason, message = container_waits(pod)
  if keeps_cause(run, reason) then
    return "ErrImagePull", run.status.message
  end
  if reason then
    return reason, sentence(WAITING[reason] or "The pod waits (" .. reason .. ")", message)
  end
  reason, message = warned(run, pod, "The pod cannot be set up")
  if reason and reason ~= "FailedCreate" then
    return reason, message
  end
  return "PodPending", "The pod is being set up."
end

-- Once an attempt has failed the run stays Running: its phase does not go back.
local function trying_again(run, job, pods)
  local pending = newest_in_phase(pods, "Pending")
  if pending then
    local reason, message = pod_waits(run, pending)
    return answer("Running", reason, "Starting " .. attempt(job) .. ". " .. message)
  end
  local _, why = warned(run, job, "The Job cannot create its pod")
  local failure = last_failure(run, pods)
  if not why and failure then
    _, why = explain(failure)
  end
  local message = "Waiting to try again (" .. attempt(job) .. ")."
  return answer("Running", "WaitingToRetry", why and message .. " " .. why or message)
end

-- A runner that has ended well is at work until its Job says so: the two come together, and need
-- not be told one by one.
local function is_at_work(job, pods)
  return newest_in_phase(pods, "Running") or newest_in_phase(pods, "Succeeded")
    or count(job, "status", "ready") > 0 or condition(job, "SuccessCriteriaMet")
end

local function unfinished(run, job, pods)
  if condition(job, "FailureTarget") then
    local phase = field(run, "status", "phase") == "Running" and "Running" or "Pending"
    return answer(phase, "Finishing", "The Job has failed; its pods are being ended.")
  end
  local tried = count(job, "status", "failed") > 0
  if is_at_work(job, pods) then
    local message = tried and "The runner is at work, " .. attempt(job) .. "."
      or "The runner is at work."
    return answer("Running", "Running", message)
  end
  if tried or last_failure(run, pods) or field(run, "status", "phase") == "Running" then
    return trying_again(run, job, pods)
  end
  local pending = newest_in_phase(pods, "Pending")
  if pending then
    return answer("Pending", pod_waits(run, pending))
  end
  local reason, message = warned(run, job, "The Job cannot create its pod")
  if reason then
    return answer("Pending", reason, message)
  end
  return answer("Pending", "PodNotCreated", "The Job has been created and has no pod yet.")
end

-- The firing that failed last, unless another has succeeded since.
local function failed_firing(run, cron_job)
  local failures = field(run, "status", "failures") or {}
  local last = failures[#failures]
  local succeeded_at = field(cron_job, "status", "lastSuccessfulTime") or ""
  return last and last.finishedAt > succeeded_at and last or nil
end

local function scheduled(run, cron_job)
  if field(cron_job, "spec", "suspend") == true then
    return answer("Suspended", "Suspended", "The schedule is suspended.")
  end
  local last = field(cron_job, "status", "lastScheduleTime")
  local message = "The run starts by its schedule, " .. (field(cron_job, "spec", "schedule") or "?")
  if last then
    message = message .. "; it started last at " .. last
  end
  local failure = failed_firing(run, cron_job)
  if failure then
    message = message .. "; it failed last at " .. failure.finishedAt .. ", " .. failure.reason
  end
  return answer("Scheduled", "Scheduled", message .. ".")
end

local function status(run, job, pods, _now)
  if not job then
    return answer("Pending", "JobNotCreated", "The Job has not been created yet.")
  end
  if job.kind == "CronJob" then
    return scheduled(run, job)
  end
  local failure = condition(job, "Failed")
  if failure then
    return failed(run, job, pods, failure)
  end
  if condition(job, "Complete") then
    return succeeded(pods)
  end
  local queue = field(job, "metadata", "labels", "kueue.x-k8s.io/queue-name")
  if queue and field(job, "spec", "suspend") == true then
    return answer("Pending", "Queued",
      "The Job waits in the queue " .. queue .. " for Kueue to admit it.")
  end
  if field(job, "spec", "suspend") == true or condition(job, "Suspended") then
    return answer("Suspended", "Suspended", "The Job is suspended.")
  end
  return unfinished(run, job, pods)
end

return { status = status }
