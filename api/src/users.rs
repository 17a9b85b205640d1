//! Role `users`: accounts, for operators.

use crate::cli::UsersCommand;
use crate::migrate;

pub async fn run(command: UsersCommand) -> anyhow::Result<()> {
    let conn = &mut migrate::connect().await?;
    match command {
        UsersCommand::Staff { email, revoke } => {
            let known = keroxio_auth::service::set_staff(conn, &email, !revoke).await?;
            anyhow::ensure!(known, "no account has the address {email}");
            eprintln!("{email} is {} staff from the next log-in on", if revoke { "no longer" } else { "now" });
        }
    }
    Ok(())
}
