// Package production holds the local network against the production network: it runs scenarios that were
// run on the production execution code and compares every answer, code, text, instruction count, amount of
// cycles and size of memory. See docs/production.md.
//
// The scenarios are testdata/*.json, or the files of the folder that the environment variable
// KEDGE_PRODUCTION_VECTORS names. What may differ is listed, scenario by scenario, in testdata/differences.txt.
package production
