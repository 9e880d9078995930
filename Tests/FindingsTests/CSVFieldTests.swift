import Findings
import Testing

@Suite struct CSVFieldTests {
    @Test(arguments: [
        ("1.png", "1.png"), ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""), ("+1", "'+1"), ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t=1"), ("\r=1", "\"'\r=1\""), ("a=1", "a=1"), ("", ""),
        ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\r\nb", "\"a\r\nb\""), ("=a,b", "\"'=a,b\""),
        ("'=1", "'=1"),
        ("=\u{301}1", "'=\u{301}1"),
    ])
    func cellsAreText(text: String, cell: String) {
        // By bytes: strings with combining marks are equal in more than one form.
        #expect(Array(CSVField.text(text).utf8) == Array(cell.utf8))
    }
}
