package enroll

import "strings"

// SpreadsheetCell returns a cell of a CSV file that a spreadsheet does not take for a formula: names
// come from outside. A phone number that begins with + remains as it is.
func SpreadsheetCell(cell string) string {
	if cell == "" || !strings.ContainsAny(cell[:1], "=+-@\t\r") || cell[0] == '+' && strings.Trim(cell[1:], "0123456789 ()/-.") == "" {
		return cell
	}
	return "'" + cell
}
