// Package answer has models answer images: the mean of all that give a column,
// with mirror images where these are asked for, a set at once or part by part as
// images stream by, and written as CSV or JSON.
//
// It must not know what answers are compared with or submitted to, or how
// models are trained.
package answer
