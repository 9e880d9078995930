import CHTTPServer
import Logging
import Support
import Testing

@testable import HTTPServer

/// What proves the framing gate at the start, on this machine's libmicrohttpd and on layouts that another might have.
@Suite struct FramingSelfTestTests {
    @Test(arguments: [1 << 10, 16 << 10, 64 << 10])
    func theLibraryOfThisMachineIsProven(headerBytes: Int) throws {
        try FramingSelfTest(headerBytes: headerBytes).run()
    }

    @Test func itCostsLittle() throws {
        let clock = ContinuousClock()
        let fastest = try (0..<10).map { _ in
            try clock.measure { try FramingSelfTest(headerBytes: 16 << 10).run() }
        }.min()
        // Of ten, and with much to spare for a busy machine.
        #expect(try #require(fastest) < .milliseconds(100))
    }

    @Test(arguments: [
        // The gate refuses what it must let pass.
        (BURN_HTTP_LAYOUT_SCATTERED.rawValue, "two requests in one packet"),
        // It lets pass what it must refuse.
        (BURN_HTTP_LAYOUT_COMPACT.rawValue, "a zero byte in a field"),
        // It sees something else than was sent.
        (BURN_HTTP_LAYOUT_ALTERED.rawValue, "two requests in one packet"),
    ])
    func anotherLayoutKeepsTheServerFromStarting(layout: burn_http_layout.RawValue, name: String) throws {
        var proof = FramingSelfTest(headerBytes: 16 << 10)
        proof.layout = burn_http_layout(layout)
        proof.patience = .seconds(1)
        let problem = try #require(throws: Problem.self) {
            _ = try HTTPServer.start(
                configuration: HTTPServerConfiguration(), handler: Router(), observer: nil,
                logger: Logger(label: "test"), proof: proof)
        }
        #expect(problem.code == "framing-gate-unproven")
        #expect(problem.detail.contains(name), "\(problem.detail)")
        #expect(problem.detail.contains("libmicrohttpd 0."))
    }
}
