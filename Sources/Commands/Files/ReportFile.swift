import Foundation

/// Where a report goes, in the form that the file's name says.
package struct ReportFile {
    package enum Form: String {
        case html, json
    }

    package var path: String
    package var form: Form

    /// Nil for a name whose ending stands for no form.
    package init?(path: String) {
        guard let form = Form(rawValue: URL(fileURLWithPath: path).pathExtension.lowercased()) else {
            return nil
        }
        self.path = path
        self.form = form
    }
}
