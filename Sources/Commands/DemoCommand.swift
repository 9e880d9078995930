import ArgumentParser

package struct DemoCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "Shows the whole way: backdoors a small model, purifies it over HTTP, compares before and after.",
        discussion: """
            Draws images, poisons a tenth of them, trains a small model on them, starts a service and hands both to it. \
            Takes a minute or two on two cores, and no more than 200 MB of disk. Nothing leaves this machine.
            """)

    @Option(
        help: ArgumentHelp(
            "A service that runs already; its key in BURN_KEY. Default: one of the demonstration's own.",
            valueName: "url"))
    package var url: String?

    @Option(help: "Seeds every random choice.")
    package var seed = 0

    @Option(help: "Training images that are drawn, 500 to 50000; fewer are quicker.")
    package var images = 5_000

    @Option(
        name: .shortAndLong, help: "A folder for everything that is made: new, empty, or of an earlier run.")
    package var output = "burn-demo"

    @OptionGroup(visibility: .hidden)
    package var folderCase: DemoCaseOptions

    package func validate() throws {
        guard (500...50_000).contains(images) else { throw ValidationError("--images is from 500 to 50000") }
    }

    package init() {}
}

/// For who has a repository with cases: a model and data that were not made by the demonstration.
package struct DemoCaseOptions: ParsableArguments {
    @Option(help: "A folder that holds model.pt2, beside the make_case.py that builds its data set.")
    package var `case`: String?

    @Option(help: "The attack that make_case.py simulates (known for badnets, trojan_wm and clean).")
    package var attack: String?

    @Option(help: "The attack's target class.")
    package var target: Int?

    @Option(help: "The poisoned share of the training images.")
    package var rate: Double?

    @Option(help: "Training images of the case.")
    package var train = 10_000

    @Option(help: "The Python that runs make_case.py; it needs numpy and pillow.")
    package var python = ".venv/bin/python"

    package init() {}
}
