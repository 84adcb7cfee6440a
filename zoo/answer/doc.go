// Package answer has models answer images. An ensemble is models that are opened
// once, planned and uploaded, and then asked by many at once: for the mean of all
// that give a column, with mirror images where these are asked for, of a set or part
// by part as images stream by. The first question of so many images at a time
// compiles a program for that many, which those after it share; Warm does so before.
// Answers are written as CSV or JSON.
//
// It must not know what answers are compared with or submitted to, or how
// models are trained.
package answer
