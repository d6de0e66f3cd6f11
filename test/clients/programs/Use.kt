// Classifies a photo by its bytes and by a form, with the generated client. Prints two labels.
import java.io.File
import org.openapitools.client.apis.ClassifyApi

fun main(args: Array<String>) {
    val api = ClassifyApi(basePath = args[0])
    val photo = File(args[1])
    println(api.classify(body = photo, topK = 2).predictions[0].label)
    println(api.classifyForm(image = listOf(photo), topK = 2).results[0].predictions!![0].label)
}
