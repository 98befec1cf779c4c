-- When no new run may start, every week, in UTC: day, time of the beginning, and how long.
return {
  { day = "Sat", from = "22:00", length = "6h" },
  { day = "Wed", from = "05:30", length = "90m" },
}
