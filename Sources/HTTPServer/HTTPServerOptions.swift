import CHTTPServer
import Foundation

extension HTTPServerConfiguration {
    /// Calls the body with the shim's options, whose pointers are valid during the call.
    /// - Parameter layout: another than the real one, for tests.
    func withOptions<Value>(
        layout: burn_http_layout = BURN_HTTP_LAYOUT_REAL, _ body: (UnsafePointer<burn_http_options>) -> Value
    ) -> Value {
        let texts = [host] + (certificate.map { [$0.certificate, $0.privateKey] } ?? []) + unlimitedAddresses
        // One block of zero-terminated strings, and where each begins.
        var block: [CChar] = []
        let offsets = texts.map { text in
            defer { block.append(contentsOf: text.utf8CString) }
            return block.count
        }
        return block.withUnsafeBufferPointer { block in
            let strings = offsets.map { offset in block.baseAddress.map { $0 + offset } }
            return strings.withUnsafeBufferPointer { strings in
                let addresses = strings.count - unlimitedAddresses.count
                var options = burn_http_options()
                options.host = strings[0]
                options.port = port
                options.threads = threads
                options.maximum_connections = maximumConnections
                options.maximum_connections_per_address = maximumConnectionsPerAddress
                options.unlimited_addresses = strings.baseAddress.map { $0 + addresses }
                options.unlimited_address_count = unlimitedAddresses.count
                if isSecure {
                    options.certificate = strings[1]
                    options.private_key = strings[2]
                }
                options.header_bytes = headerBytes
                options.header_deadline_ms = UInt32(clamping: Int64(headerDeadline / .milliseconds(1)))
                options.idle_timeout_s = UInt32(clamping: Int64(idleTimeout / .seconds(1)))
                options.minimum_upload_rate = minimumUploadRate
                options.simulated_layout = layout
                return withUnsafePointer(to: options, body)
            }
        }
    }
}
