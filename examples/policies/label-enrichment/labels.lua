-- The labels that every run has, and the parameters that they become.
return {
  { label = "team", parameter = "team", header = "X-Team" },
  { label = "cost-centre", parameter = "cost_centre", header = "X-Cost-Centre" },
  {
    label = "data-classification",
    parameter = "data_classification",
    header = "X-Data-Classification",
    values = { public = true, internal = true, confidential = true },
  },
}
